"""The dashboard: what a lab looks like in a terminal."""
