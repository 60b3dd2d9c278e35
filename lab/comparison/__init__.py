"""Comparing algorithms on identical traffic: scenarios, the runs, and their report."""
