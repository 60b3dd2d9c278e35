"""What the lab takes of the machine, and how it gives it back: processes, ports, folders, limits and rights."""
