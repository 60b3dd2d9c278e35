"""Where the words are typed by which the feed is searched."""

from textual.widgets import Input

from lab.inert import inert

_LONGEST = 100


class FilterLine(Input):
    """One line; what is pasted into it is as harmless as what is typed."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="port, pid, status, path or client · enter keeps · esc clears",
            compact=True,
            select_on_focus=False,
            max_length=_LONGEST,
        )

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(inert(text), start, end)
