"""How nginx picks a backend: one readable model a method, held to a real nginx by the differential test.

Pure: the clock and the draws are passed in, nothing is sent anywhere. Begin with `round_robin`, which all others end
in.
"""
