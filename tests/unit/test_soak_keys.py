"""What the soak's random typing can reach."""

from tests.soak.terminal import KEYS as TYPED
from tui.keys import KEYS


def test_the_soak_types_every_letter_and_digit_that_does_something_but_the_one_that_quits() -> None:
    """One that it leaves out is a command that nobody repeats ten thousand times."""
    bound = {key for bindings in KEYS.values() for binding in bindings for key in binding.key.split(",")}
    assert {key for key in bound if len(key) == 1} - set(TYPED) == {"q"}
