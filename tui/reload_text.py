"""What the latest change of nginx's configuration did: pure, in full for its screen and in short for the title."""

from collections.abc import Sequence

from lab.models import Reload
from tui.drawing import bar
from tui.formatting import count, duration, paragraph, time_of_day
from tui.ink import BLANK, Ink, Line, Span

_LABEL_WIDTH = 12
_PORT_WIDTH, _HITS_WIDTH, _BAR_WIDTH = 7, 9, 20
_NEWS_SECONDS = 8
_PIDS_NAMED = 2


def reload_news(reload: Reload | None, now: float) -> tuple[tuple[str, ...], Ink]:
    """A change of the last few seconds in a phrase, from the longest to the shortest; nothing when it is older.

    Args:
        now: Seconds since the epoch.
    """
    if reload is None or not 0 <= now - reload.time - reload.seconds < _NEWS_SECONDS:
        return (), Ink.PLAIN
    lost = reload.failed_meanwhile
    sign, ink = ("✓", Ink.GOOD) if not lost else ("!", Ink.WARNING) if reload.was_failing else ("✗", Ink.BAD)
    name, failed = f"{sign} reload {reload.generation}", f"{lost:,} failed" + " as before" * (sign == "!")
    one = len(reload.old_pids) == 1
    swap = f"{_pids(reload.old_pids)} → {_pids(reload.new_pids)}"
    held = sum(worker.connections or 0 for worker in reload.finishing)
    return (
        f"{name}: worker{'' if one else 's'} {swap}, old {'one' if one else 'ones'} {_doing(reload)}, {failed}",
        f"{name}: {swap}, {f'old one has {_connections(held)}' if reload.finishing else 'old one gone'}, {failed}",
        f"{name}: {failed}",
    ), ink


def _pids(pids: Sequence[int]) -> str:
    return " ".join(map(str, pids)) if len(pids) <= _PIDS_NAMED else f"{pids[0]} … {pids[-1]}"


def _doing(reload: Reload) -> str:
    """What the old workers do."""
    one = len(reload.old_pids) == 1
    if not reload.finishing:
        return "is gone" if one else "are gone"
    verb = "finishes" if one else "finish"
    known = [worker.connections for worker in reload.finishing if worker.connections is not None]
    return f"{verb} {_connections(sum(known))}" if known else f"{verb} what it has" if one else f"{verb} what they have"


def _connections(number: int) -> str:
    return f"{number:,} connection{'' if number == 1 else 's'}"


def reload_lines(reload: Reload, width: int) -> list[Line]:
    """All that is known of it."""
    took = duration(reload.seconds * 1000)
    return [
        *paragraph(reload.change, width, Ink.STRONG),
        ((f"asked for at {time_of_day(reload.time)}, took {took}", Ink.MUTED),),
        BLANK,
        *_workers(reload),
        BLANK,
        _fact("answered", (f"{count(reload.answered)} since", Ink.PLAIN)),
        _fact("by the old", (f"{count(reload.finished_by_old)} with the configuration before", Ink.PLAIN)),
        _fact("meanwhile", _lost(reload)),
        _fact("failed", (f"{count(reload.failed)} since", Ink.PLAIN)),
        BLANK,
        (("Hits since", Ink.HEADING),),
        *_hits(reload),
    ]


def _workers(reload: Reload) -> list[Line]:
    finishing = {worker.pid: worker for worker in reload.finishing}
    lines = []
    for pid in reload.old_pids:
        worker = finishing.get(pid)
        if worker is None:
            doing = ("  has finished, and is gone", Ink.MUTED)
        elif worker.connections is None:
            doing = ("  finishes what it has", Ink.WARNING)
        else:
            doing = (f"  finishes {_connections(worker.connections)}", Ink.WARNING)
        lines.append(_fact("old worker", (str(pid), Ink.PLAIN), doing))
    return lines + [_fact("new worker", (str(pid), Ink.STRONG)) for pid in reload.new_pids]


def _lost(reload: Reload) -> Span:
    lost = f"{count(reload.failed_meanwhile)} request{'s' * (reload.failed_meanwhile != 1)}"
    if not reload.failed_meanwhile:
        return "0: nothing was lost in the change", Ink.GOOD
    return (f"{lost}, as some did before it", Ink.WARNING) if reload.was_failing else (lost, Ink.BAD)


def _hits(reload: Reload) -> list[Line]:
    most = max((hits for _, hits in reload.hits), default=0) or 1
    return [
        (
            (f"  {port:<{_PORT_WIDTH}}{count(hits, _HITS_WIDTH):>{_HITS_WIDTH}}  ", Ink.PLAIN),
            (bar(hits / most, _BAR_WIDTH), Ink.BAR),
        )
        for port, hits in reload.hits
    ]


def _fact(label: str, *said: Span) -> Line:
    return ((f"{label:<{_LABEL_WIDTH}}", Ink.MUTED), *said)
