"""The first line: what runs where, and what the lab is busy with."""

from collections.abc import Callable

from rich.cells import cell_len

from lab.models import NginxView, Snapshot
from lab.states import BackendState, Phase
from tui.formatting import memory, shorten, whole_percent
from tui.ink import Ink, Line, Span
from tui.reload_text import reload_news
from tui.widgets.line_panel import LinePanel

_BRAND: Line = ((" lablb ", Ink.BRAND), ("  ", Ink.PLAIN))


class TitleBar(LinePanel):
    """Name, activity, nginx and how many backends are up, in one line."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return [title_line(snapshot, width, self._clock())]


def title_line(snapshot: Snapshot, width: int, now: float) -> Line:
    """The line; where it is too long, what nginx costs gives way, then what is going on is shortened.

    Args:
        now: Seconds since the epoch: a reload is news for some seconds.
    """
    news, ink = ((f"◌ {snapshot.activity}",), Ink.WARNING) if snapshot.activity else reload_news(snapshot.reload, now)
    facts = _facts(snapshot)
    room = width - _width(_BRAND) - 1 - 2
    if cell_len(news[0] if news else "") > room - _width(facts):
        facts = [fact for fact in facts if fact[1] is not Ink.MUTED]
    room = max(room - _width(facts), 0)
    said = shorten(next((text for text in news if cell_len(text) <= room), news[-1] if news else ""), room)
    return (*_BRAND, (said, ink), (" " * (room + 2 - cell_len(said)), Ink.PLAIN), *facts, (" ", Ink.PLAIN))


def _facts(snapshot: Snapshot) -> list[Span]:
    is_running = snapshot.phase is Phase.RUNNING
    facts = _nginx_facts(snapshot.nginx, is_running=is_running) if snapshot.nginx else []
    if snapshot.backends:
        up = sum(backend.state is BackendState.UP for backend in snapshot.backends)
        ink = Ink.GOOD if up == len(snapshot.backends) else Ink.WARNING if up else Ink.BAD
        facts.append((f"   {up}/{len(snapshot.backends)} up", ink))
    return facts


def _nginx_facts(nginx: NginxView, *, is_running: bool) -> list[Span]:
    if is_running and nginx.master_pid is None:
        return [("✗ nginx is dead", Ink.BAD)]
    workers = len(nginx.worker_pids)
    cost = f"   {workers} worker{'' if workers == 1 else 's'}" if workers else ""  # they aren't known at once
    if nginx.cpu_percent is not None:
        cost += f"   cpu {whole_percent(nginx.cpu_percent)}   mem {memory(nginx.rss_bytes)}"
    return [(f"nginx {nginx.version}", Ink.STRONG), (f"   {nginx.url}", Ink.ACCENT), (cost, Ink.MUTED)]


def _width(line: Line | list[Span]) -> int:
    return sum(cell_len(text) for text, _ in line)
