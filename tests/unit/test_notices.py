"""What a person is told of how the lab fares."""

from lab.notices import MOST_NOTICES, Notices


def test_notices_are_kept_in_order_and_never_taken_back() -> None:
    """A reader that has seen so many shows those that follow; the same sentence twice in a row says nothing new."""
    notices = Notices()
    for sentence in ("nginx has died", "nginx has died", "nginx runs again", "nginx has died"):
        before = notices.told
        notices.tell(sentence)
        assert notices.told[: len(before)] == before
    assert notices.told == ("nginx has died", "nginx runs again", "nginx has died")


def test_there_is_an_end_to_them() -> None:
    """The last one says that there is more."""
    notices = Notices()
    for number in range(2 * MOST_NOTICES):
        notices.tell(f"the {number}th")
    assert len(notices.told) == MOST_NOTICES + 1
    assert notices.told[-1].startswith("More has happened than is told here")


def test_deaths_are_told_whatever_else_was() -> None:
    """They have room of their own, and an end, too."""
    notices = Notices()
    for number in range(2 * MOST_NOTICES):
        notices.tell(f"the {number}th")
    notices.tell_of_death("nginx has died")
    assert notices.told[-1] == "nginx has died"
    for number in range(2 * MOST_NOTICES):
        notices.tell_of_death(f"the {number}th client has died")
    assert len(notices.told) == 2 * (MOST_NOTICES + 1)
    assert notices.told[-1].startswith("More has happened than is told here")


def test_what_ends_because_the_lab_does_is_not_told() -> None:
    """nginx that is stopped has not died."""
    notices = Notices()
    notices.close()
    notices.tell("nginx has died")
    assert notices.told == ()
