"""Where the lab is reached: from this machine only."""

HOST = "127.0.0.1"
MAX_PORT = 65535
