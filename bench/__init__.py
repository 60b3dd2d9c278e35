"""Measures the lab against what it is compared with, side by side: `python -m bench`."""
