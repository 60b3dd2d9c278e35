"""The scenarios that algorithms can be compared under, each with what it shows and how long it takes."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from lab.comparison.scenarios import SCENARIOS, Scenario
from lab.models import Snapshot
from tui.formatting import paragraph, shorten, time_left
from tui.ink import BLANK, Ink, Line
from tui.keys import SCENARIO_KEYS
from tui.widgets.row_panel import RowPanel

RUNS = 5
"""Four algorithms, and the first one again."""
_SECONDS = (2.0, 5.0, 10.0, 20.0, 60.0)
_AROUND_SECONDS = 1.0
"""What a run takes besides its traffic, roughly."""
_NAME_WIDTH = 12
_WHAT_IT_IS = (
    "The same requests under round robin, least conn, random and random two, and under round robin again, which shows"
    " how much is chance. They run in a lab of their own; this lab's client pauses meanwhile."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be compared under, and for how long each algorithm."""

    scenario: Scenario
    seconds: float


class ScenarioList(RowPanel):
    """Two lines a scenario, and below what a comparison is."""

    heading = "Compare algorithms on the same traffic"
    hint = "enter starts · + - longer, shorter runs · esc back"
    lines_a_row = 2
    lines_below = 4

    def __init__(self) -> None:
        super().__init__()
        self._longer = 0
        """So many steps than the scenario's own time."""

    @property
    def row_count(self) -> int:
        return len(SCENARIOS)

    def wish(self, row: int) -> Wish:
        """That scenario, with runs as long as they are set."""
        own = SCENARIOS[row].seconds
        step = min(max(_SECONDS.index(own) + self._longer, 0), len(_SECONDS) - 1)
        return Wish(SCENARIOS[row], _SECONDS[step])

    def lengthen(self, steps: int) -> None:
        """Give each run more time, or less."""
        most = len(_SECONDS) - 1
        self._longer = min(max(self._longer + steps, -most), most)
        self.draw_again()

    def heading_line(self, width: int) -> Line:
        return (("  scenario    what it shows", Ink.HEADING),)

    def row_lines(self, rows: range, width: int) -> list[Line]:
        return [
            line for row in rows for line in self._lines_of(self.wish(row), width, is_chosen=row == self.chosen_row)
        ]

    def _lines_of(self, wish: Wish, width: int, *, is_chosen: bool) -> list[Line]:
        scenario = wish.scenario
        all_in_all = RUNS * (wish.seconds + _AROUND_SECONDS)
        fired = f"{scenario.rate_rps:g} req/s at {scenario.service_time_ms:g} ms each"
        takes = f"{RUNS} runs of {wish.seconds:g} s: about {time_left(all_in_all)}"
        return [
            (
                ("▸ " if is_chosen else "  ", Ink.ACCENT),
                (f"{scenario.name:<{_NAME_WIDTH}}", Ink.STRONG),
                (shorten(scenario.description, width - 2 - _NAME_WIDTH), Ink.PLAIN),
            ),
            ((" " * (2 + _NAME_WIDTH) + f"{fired} · {takes}", Ink.MUTED),),
        ]

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        rows = super().draw(snapshot, width, height)
        return [*rows, BLANK, *paragraph(_WHAT_IT_IS, width, Ink.MUTED)]


class ScenarioChoice(ModalScreen[Wish | None]):
    """Its result is what the person wishes; None for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = list(SCENARIO_KEYS)
    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        yield ScenarioList()

    def action_choose(self, steps: int) -> None:
        self._scenarios.choose_relative(steps)

    def action_lengthen(self, steps: int) -> None:
        self._scenarios.lengthen(steps)

    def action_take(self) -> None:
        self.dismiss(self._scenarios.wish(self._scenarios.chosen_row))

    def on_row_panel_picked(self, message: RowPanel.Picked) -> None:
        self.dismiss(self._scenarios.wish(message.row))

    @property
    def _scenarios(self) -> ScenarioList:
        return self.query_one(ScenarioList)
