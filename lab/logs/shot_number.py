"""Reads the numbers that the lab's client gives its requests; whoever asks may send something else instead."""

MOST_DIGITS = 19
"""Python refuses to read thousands of them."""


def shot_number(digits: str) -> int | None:
    """The number that the text is; None if it is none, or one that no client reaches."""
    return int(digits) if digits.isdecimal() and len(digits) <= MOST_DIGITS else None
