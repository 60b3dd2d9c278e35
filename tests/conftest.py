"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("lablb", deadline=None)  # a busy machine is slow, and no test is about that
settings.load_profile("lablb")
