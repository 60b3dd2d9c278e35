"""The first line: what runs where, and what the lab is busy with."""

from rich.cells import cell_len

from lab.models import BackendState, NginxView, Snapshot
from tui.formatting import memory, shorten, whole_percent
from tui.ink import Ink, Line, Span
from tui.widgets.line_panel import LinePanel

_BRAND: Line = ((" lablb ", Ink.BRAND), ("  ", Ink.PLAIN))


class TitleBar(LinePanel):
    """Name, activity, nginx and how many backends are up, in one line."""

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return [title_line(snapshot, width)]


def title_line(snapshot: Snapshot, width: int) -> Line:
    """The line; where it is too long, what nginx costs gives way, then the activity is shortened."""
    busy = f"◌ {snapshot.activity}" if snapshot.activity else ""
    facts = _facts(snapshot)
    room = width - _width(_BRAND) - 1
    if facts and cell_len(busy) + 2 + _width(facts) > room:
        facts = [fact for fact in facts if fact[1] is not Ink.MUTED]
    room -= _width(facts)
    busy = shorten(busy, max(room - 2, 0))
    return (*_BRAND, (busy, Ink.WARNING), (" " * (room - cell_len(busy)), Ink.PLAIN), *facts, (" ", Ink.PLAIN))


def _facts(snapshot: Snapshot) -> list[Span]:
    facts = _nginx_facts(snapshot.nginx) if snapshot.nginx else []
    if snapshot.backends:
        up = sum(backend.state is BackendState.UP for backend in snapshot.backends)
        ink = Ink.GOOD if up == len(snapshot.backends) else Ink.WARNING if up else Ink.BAD
        facts.append((f"   {up}/{len(snapshot.backends)} up", ink))
    return facts


def _nginx_facts(nginx: NginxView) -> list[Span]:
    workers = len(nginx.worker_pids)
    cost = f"   {workers} worker{'' if workers == 1 else 's'}"
    if nginx.cpu_percent is not None:
        cost += f"   cpu {whole_percent(nginx.cpu_percent)}   mem {memory(nginx.rss_bytes)}"
    return [(f"nginx {nginx.version}", Ink.STRONG), (f"   {nginx.url}", Ink.ACCENT), (cost, Ink.MUTED)]


def _width(line: Line | list[Span]) -> int:
    return sum(cell_len(text) for text, _ in line)
