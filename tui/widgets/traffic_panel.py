"""What the lab's own client sends, what became of it, and whether the three counts agree."""

from textual.content import Content

from lab.counts.ledger import Ledger
from lab.models import Snapshot, TrafficView
from lab.states import LoopKind
from tui.formatting import count, duration, per_second, shorten
from tui.ink import BLANK, Ink, Line, Span
from tui.widgets.line_panel import LinePanel

_LEAST_FACT, _WIDEST_FACT = 15, 24
_FACTS_ACROSS = 3
_GAP = 3


_LOOPS = {
    LoopKind.OPEN: ("open loop", "sends by the clock"),
    LoopKind.CLOSED: ("closed loop", "sends when an answer came"),
}


class TrafficPanel(LinePanel):
    """The loop and its rate, the counts, and the ledger; the border says which loop it is and what that means."""

    heading = "Traffic"

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        loop = now.traffic.loop
        if before.traffic.loop is not loop or not self.border_subtitle:
            name, meaning = _LOOPS[loop]
            self.border_title = Content(f"Traffic · {name}")
            self.border_subtitle = Content(meaning)
        self.draw_again()

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return traffic_lines(snapshot, width, height)


def traffic_lines(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """Loop first and ledger last; the counts between them give way from the end where there is no room."""
    traffic = snapshot.traffic
    facts = _fact_lines(_facts(traffic), width)
    if traffic.errors:
        facts.append(((shorten(_errors(traffic), width), Ink.BAD),))
    spare = height - 2 - len(facts)
    gaps = [[BLANK] if spare > gap else [] for gap in (0, 1)]
    return [loop_line(traffic, width), *gaps[0], *facts[: height - 2], *gaps[1], ledger_line(snapshot.ledger, width)]


def loop_line(traffic: TrafficView, width: int) -> Line:
    """How the client decides when to send, how fast it should and how fast it gets answers."""
    is_open = traffic.loop is LoopKind.OPEN
    wanted = per_second(traffic.target_rps or 0) if is_open else f"{count(traffic.connections)} conn."
    spans: list[Span] = [("open loop " if is_open else "closed loop ", Ink.PLAIN), (wanted, Ink.STRONG)]
    if traffic.is_paused:
        return ((" ‖ PAUSED ", Ink.ALERT), (" ", Ink.PLAIN), *spans)
    if traffic.is_done:
        return ((" ✓ DONE ", Ink.GOOD), (" ", Ink.PLAIN), *spans)
    got = per_second(traffic.rate_rps)
    spans += [(" → ", Ink.MUTED), (got, Ink.GOOD), (" answered", Ink.MUTED)]
    if sum(len(text) for text, _ in spans) > width:
        spans.pop()
    return tuple(spans)


def _facts(traffic: TrafficView) -> list[tuple[str, int | str, Ink]]:
    """The most important first; what is rare displaces, when it is there, what the latency chart says, too."""
    rare: list[tuple[str, int | str, Ink]] = [("resent", traffic.resent, Ink.WARNING)] if traffic.resent else []
    if traffic.direct:
        rare.append(("direct", traffic.direct, Ink.ACCENT))
    late = ("late", traffic.late, Ink.WARNING if traffic.late else Ink.PLAIN)
    others = ("others", traffic.other_clients, Ink.ACCENT if traffic.other_clients else Ink.PLAIN)
    latency = traffic.latency
    percentiles = [("p50", duration(latency.p50_ms), Ink.PLAIN), ("p99", duration(latency.p99_ms), Ink.PLAIN)]
    return [
        ("sent", traffic.sent, Ink.STRONG),
        ("answered", traffic.answered, Ink.STRONG),
        ("failed", traffic.failed, Ink.BAD if traffic.failed else Ink.PLAIN),
        ("retried", traffic.retried, Ink.WARNING if traffic.retried else Ink.PLAIN),
        *((others, *rare, late) if rare else (late, others)),
        ("in flight", traffic.in_flight, Ink.PLAIN),
        *percentiles[len(rare) :],
    ]


def _fact_lines(facts: list[tuple[str, int | str, Ink]], width: int) -> list[Line]:
    across = min(max((width + _GAP) // (_LEAST_FACT + _GAP), 1), _FACTS_ACROSS)
    fact_width = min((width + _GAP) // across - _GAP, _WIDEST_FACT)
    lines = []
    for start in range(0, len(facts), across):
        spans: list[Span] = []
        for label, value, ink in facts[start : start + across]:
            room = fact_width - len(label)
            text = count(value, room - 1) if isinstance(value, int) else value
            spans += [(" " * _GAP if spans else "", Ink.PLAIN), (label, Ink.MUTED), (text.rjust(room), ink)]
        lines.append(tuple(spans))
    return lines


def _errors(traffic: TrafficView) -> str:
    return "✗ " + ", ".join(f"{kind} {count(times)}" for kind, times in traffic.errors)


def ledger_line(ledger: Ledger, width: int) -> Line:
    """Whether client, nginx and backends counted the same."""
    if not ledger.is_balanced:
        beyond = [pair for pair in zip(ledger.nginx_beyond, ("client", "backends"), strict=True) if pair[0]]
        ways = (
            "; ".join(ledger.differences),
            "nginx " + ", ".join(f"{gap:+,} to {whom}" for gap, whom in beyond),
            ", ".join(f"{gap:+,} {whom}" for gap, whom in beyond),
        )
        said = next((way for way in ways if len(way) <= width - 9), ways[-1])
        return (("ledger ", Ink.MUTED), (shorten(f"✗ {said}", width - 7), Ink.BAD))
    if ledger.on_the_way:
        return (("ledger ", Ink.MUTED), ("✓ agree", Ink.GOOD), (f", {ledger.on_the_way:,} on the way", Ink.MUTED))
    return (("ledger ", Ink.MUTED), ("✓ all agree", Ink.GOOD))
