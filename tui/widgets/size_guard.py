"""What hides the dashboard on a terminal that is too small for it."""

from textual.content import Content
from textual.widget import Widget

LEAST_COLUMNS, LEAST_LINES = 80, 24


class SizeGuard(Widget):
    """Says which size it needs and which it has."""

    def render(self) -> Content:
        columns, lines = self.app.size
        return Content(
            f"The dashboard needs {LEAST_COLUMNS} × {LEAST_LINES};\nthis terminal is {columns} × {lines}.\n"
            "Enlarge it, or use `lablb run`."
        )
