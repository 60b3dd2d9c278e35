"""What is counted of the requests: by whom, how long they took, and whether it is as it should be."""
