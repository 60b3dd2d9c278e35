"""The counts that a backend shares with the lab."""

from pathlib import Path

from lab.backends.scoreboard import Scoreboard


def test_what_one_side_writes_the_other_reads(tmp_path: Path) -> None:
    """Both have the file mapped."""
    theirs, ours = Scoreboard(tmp_path / "scores"), Scoreboard(tmp_path / "scores")
    for _ in range(3):
        theirs.note_arrival()
    theirs.note_answer()
    assert (ours.begun, ours.served, ours.in_flight) == (1, 0, 3)
    theirs.note_departure(is_served=True, is_direct=False)
    theirs.note_departure(is_served=False, is_direct=False)
    assert (ours.begun, ours.served, ours.in_flight) == (1, 1, 1)


def test_it_forgets_when_it_is_cleared_and_remembers_when_it_is_closed(tmp_path: Path) -> None:
    """A port's next process begins anew; a lab that has ended still knows its sums."""
    board = Scoreboard(tmp_path / "scores")
    board.note_arrival()
    board.note_departure(is_served=True, is_direct=False)
    board.close()
    assert board.served == 1
    again = Scoreboard(tmp_path / "scores")
    assert again.served == 1
    again.clear()
    assert again.served == 0


def test_who_came_past_nginx_is_counted_apart_and_casts_no_doubt(tmp_path: Path) -> None:
    """Should the process die in the middle of such an answer, nginx's count isn't touched."""
    theirs, ours = Scoreboard(tmp_path / "scores"), Scoreboard(tmp_path / "scores")
    theirs.note_arrival()
    theirs.note_departure(is_served=True, is_direct=True)
    assert (ours.direct, ours.begun, ours.served, ours.in_flight) == (1, 0, 0, 0)
