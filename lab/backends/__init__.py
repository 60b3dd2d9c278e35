"""The backends: what one is made of, what serves its port, and all of them together."""
