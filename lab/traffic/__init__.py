"""The lab's own client: what to fire, the child process that fires it, and its remote control."""
