"""Holds the simulation of a scenario to what the real nginx and real backends made of the same requests."""
