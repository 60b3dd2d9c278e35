"""Traffic and charts, with the least important chart only where there is room for all."""

from textual.containers import Container

_LINES_FOR_ALL = 20


class Backdrop(Container):
    """Has nothing of its own to paint, and is spared being asked for each of its lines."""

    BLANK = True


class Measures(Backdrop):
    """Knows whether its panels fit one below the other."""

    def on_resize(self) -> None:
        self.set_class(self.size.height < _LINES_FOR_ALL, "-crowded")
