"""The engine of lablb: processes, nginx, traffic and what they report. Imports no user interface."""

__version__ = "0.1.0"
