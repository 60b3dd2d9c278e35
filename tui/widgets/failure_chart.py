"""What went wrong for any client in each second of the last minute: failed, retried and late, a row of bars each."""

from collections.abc import Sequence

from textual.content import Content

from lab.counts.latency import SecondView
from tui.drawing import columns_of
from tui.formatting import count
from tui.ink import Ink, Line, Span
from tui.widgets.minute_chart import MinuteChart

_LABEL_WIDTH, _LAST_WIDTH, _SUM_WIDTH = 11, 8, 9
_CALM = "─"


class FailureChart(MinuteChart):
    """Three rows, calm as long as there is nothing to tell."""

    heading = "Failed, retried, late, last 60 s"

    def __init__(self) -> None:
        super().__init__()
        self.border_subtitle = Content("all clients · last second · Σ")

    def draw_seconds(self, seconds: tuple[SecondView, ...], width: int, height: int) -> list[Line]:
        return failure_lines(seconds, width)


def failure_lines(seconds: Sequence[SecondView], width: int) -> list[Line]:
    """A row each: its name, a bar a second, the last second's value and the minute's sum.

    Of all clients, as far as nginx knows of others: what wrk is told counts, too.
    """
    return [
        _row("✗ failed", [second.failed + second.others_failed for second in seconds], Ink.BAD, width),
        _row("→ retried", [second.retried + second.others_retried for second in seconds], Ink.ACCENT, width),
        _row("! late", [second.late for second in seconds], Ink.WARNING, width),
    ]


def _row(name: str, counts: Sequence[int], ink: Ink, width: int) -> Line:
    total, last = sum(counts), counts[-1] if counts else 0
    columns = max(width - _LABEL_WIDTH - _LAST_WIDTH - _SUM_WIDTH, 1)
    label, figures = f"{name:<{_LABEL_WIDTH}}", f"{f'{count(last, 5)}/s':>{_LAST_WIDTH}}"
    whole = f"{f'Σ {count(total, 6)}':>{_SUM_WIDTH}}"
    if not total:
        return ((label + _CALM * columns + figures + whole, Ink.MUTED),)
    return (
        (label, ink),
        *_bars(counts, columns, ink),
        (figures, Ink.STRONG if last else Ink.MUTED),
        (whole, Ink.STRONG),
    )


def _bars(counts: Sequence[int], columns: int, ink: Ink) -> list[Span]:
    """The highest second of each column, against the highest of all."""
    number, most = len(counts), max(counts)
    highest = [
        max(counts[column * number // columns : max((column + 1) * number // columns, column * number // columns + 1)])
        for column in range(columns)
    ]
    (text,) = columns_of([value / most for value in highest], 1)
    spans: list[Span] = []
    for character in text:
        is_calm = character == " "
        said: Span = (_CALM, Ink.MUTED) if is_calm else (character, ink)
        if spans and spans[-1][1] is said[1]:
            spans[-1] = (spans[-1][0] + said[0], said[1])
        else:
            spans.append(said)
    return spans
