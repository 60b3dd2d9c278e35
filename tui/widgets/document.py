"""Lines that are as wide and as high as they need to be, to be put into something that scrolls."""

from rich.cells import cell_len

from lab.models import Snapshot
from tui.ink import Line, plain_text
from tui.widgets.line_panel import LinePanel


class Document(LinePanel):
    """A text that changes now and then."""

    def __init__(self, lines: list[Line] | None = None) -> None:
        super().__init__()
        self._text = lines or []

    def show(self, lines: list[Line]) -> None:
        """Show these lines from now on."""
        if lines != self._text:
            before = self._extent
            self._text = lines
            if self._extent != before:
                self.refresh(layout=True)
            self.draw_again()

    @property
    def _extent(self) -> tuple[int, int]:
        return self.get_content_width(), self.get_content_height()

    def get_content_width(self, *_: object) -> int:
        return max((cell_len(plain_text(line)) for line in self._text), default=0)

    def get_content_height(self, *_: object) -> int:
        return len(self._text)

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        return self._text
