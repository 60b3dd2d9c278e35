"""Algorithms compared on the same traffic: the run that is under way, and what was found."""

from contextlib import aclosing, suppress
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Footer
from textual.worker import Worker, WorkerCancelled

from lab.comparison.result import Comparison
from lab.comparison.standing import Standing
from lab.control import Lab
from lab.errors import LabError
from lab.inert import inert
from tui.comparison_text import result_lines
from tui.drawing import bar
from tui.formatting import paragraph, time_left
from tui.ink import BLANK, Ink, Line
from tui.keys import COMPARISON_KEYS
from tui.screens.lab_screen import LabScreen
from tui.screens.scenario_choice import ScenarioChoice, Wish
from tui.widgets.document import Document

_BAR = 20
_TOAST_SECONDS = 10
_USUAL_WIDTH = 76


class ComparisonScreen(LabScreen[Comparison | None]):
    """Its result is the latest comparison; what runs ends before it closes."""

    BINDINGS: ClassVar[list[BindingType]] = list(COMPARISON_KEYS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]  # noqa: RUF012  # Textual declares it for instances.

    def __init__(self, lab: Lab, comparison: Comparison | None) -> None:
        super().__init__(lab)
        self.found = comparison
        """What is over; what runs isn't, yet."""
        self._standing: Standing | None = None
        self._seconds_in_all = 0.0
        """What all runs were to take when they began."""
        self._failure: str | None = None
        self._wish: Wish | None = None
        self._run: Worker[None] | None = None
        """None while nothing runs."""
        self._is_asking = False
        """Whether the person is asked if what runs is to end."""
        self._is_ending = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="comparison") as pane:
            pane.border_title = Content("Compare")
            yield Document()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._show()
        if self.found is None:
            self.action_choose_scenario()

    def on_resize(self) -> None:
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to save before a comparison is over, and no other one may start while one runs."""
        is_running = self._run is not None
        return None if (action == "choose_scenario" and is_running) or (action == "save" and not self.found) else True

    def action_scroll(self, lines: int) -> None:
        self.query_one("#comparison", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_choose_scenario(self) -> None:
        if not self._is_ending:
            self.app.push_screen(ScenarioChoice(), self._start)

    def _start(self, wish: Wish | None) -> None:
        if wish is not None:
            self.found, self._standing, self._failure, self._wish = None, None, None, wish
            self._seconds_in_all = 0.0
            self._run = self._compare(wish)
            self._show()
        elif self.found is None:
            self._leave()

    @work(exclusive=True, group="compare", description="compare algorithms")
    async def _compare(self, wish: Wish) -> None:
        try:
            async with aclosing(self._lab.compare(wish.scenario.name, wish.seconds)) as standings:
                async for standing in standings:
                    self._standing = standing
                    self._seconds_in_all = max(self._seconds_in_all, standing.seconds_left)
                    self._show()
            if self._standing is not None:
                self.found = self._standing.comparison
        except LabError as error:
            self._failure = str(error)
        finally:
            self._run, self._is_asking, self._is_ending = None, False, False
        self._show()

    def action_leave(self) -> None:
        """Close; what runs is ended first, once that was confirmed."""
        if self._run is None:
            self._leave(self.found)
        elif not self._is_asking:
            self._is_asking = True
            self._show()
        elif not self._is_ending:
            self._is_ending = True
            self._show()
            self._end(self._run)

    def on_key(self, event: events.Key) -> None:
        """Any other key than the one that leaves is a no."""
        if self._is_asking and not self._is_ending and event.key not in ("escape", "q"):
            self._is_asking = False
            self._show()

    @work(group="leave", description="end what runs, and leave")
    async def _end(self, run: Worker[None]) -> None:
        run.cancel()
        with suppress(WorkerCancelled):
            await run.wait()
        self._show()
        self._leave(self.found)

    @work(group="save", description="save the comparison")
    async def action_save(self) -> None:
        if self.found is None:
            return
        try:
            path = await self._lab.save_comparison(self.found)
        except LabError as error:
            self._complain("Not saved", error)
        else:
            self.notify(inert(str(path)), title="Saved", timeout=_TOAST_SECONDS, markup=False)

    def _show(self) -> None:
        """Show how it stands."""
        if not self.is_mounted:
            return
        pane, comparison = self.query_one("#comparison", VerticalScroll), self._comparison
        if comparison is not None:
            self._entitle(comparison.scenario, comparison.description)
        elif self._wish is not None:
            self._entitle(self._wish.scenario.name, self._wish.scenario.description)
        width = pane.scrollable_content_region.width or _USUAL_WIDTH
        lines = self._status(width)
        if comparison is not None:
            running = self._standing.title if self._run is not None and self._standing is not None else None
            lines += [BLANK, *result_lines(comparison, width, running)]
        pane.query_one(Document).show(lines)
        self.refresh_bindings()

    @property
    def _comparison(self) -> Comparison | None:
        """What is known by now."""
        return self._standing.comparison if self.found is None and self._standing is not None else self.found

    def _entitle(self, name: str, description: str) -> None:
        self.query_one("#comparison").border_title = Content(f"Compare · {name}: {description}")

    def _status(self, width: int) -> list[Line]:
        if self._failure is not None:
            return paragraph(f"✗ {self._failure}", width, Ink.BAD)
        if self._is_ending:
            return [(("Ending it: its client, its backends, its nginx …", Ink.WARNING),)]
        if self._is_asking:
            return [(("End this comparison? ", Ink.ALERT), (" esc ends it, any other key lets it go on", Ink.WARNING))]
        if self._run is None:
            return [] if self.found is None else [(("✓ compared", Ink.GOOD), (_FURTHER, Ink.MUTED))]
        if self._standing is None:
            return [(("Starting another lab; this lab's client pauses meanwhile …", Ink.ACCENT),)]
        return [_progress_line(self._standing, self._seconds_in_all), *paragraph(_PAUSES, width, Ink.MUTED)]


_FURTHER = " · s saves it as a page, c compares under another scenario"
_PAUSES = "This happens in a lab of its own; the client of this one pauses meanwhile."


def _progress_line(standing: Standing, seconds_in_all: float) -> Line:
    """Which run it is at, and how long the rest takes."""
    part = 1 - standing.seconds_left / (seconds_in_all or 1.0)
    return (
        (f"run {standing.number} of {standing.count} · {standing.title} ", Ink.STRONG),
        (bar(part, _BAR), Ink.BAR),
        (f" {time_left(standing.seconds_left)} left", Ink.PLAIN),
    )
