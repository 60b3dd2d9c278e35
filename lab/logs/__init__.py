"""nginx's logs: followed, parsed, and put into the order in which things happened."""
