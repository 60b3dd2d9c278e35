"""What can go wrong with a backend: its kinds, what it does to a request, and plans of it by the clock."""
