"""The balancing methods: which is in force, which this nginx lacks; a click switches."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from lab.algorithms import ALGORITHMS, Algorithm
from lab.models import EMPTY, AlgorithmChoice, Snapshot


class AlgorithmChip(Static):
    """One method: its key and its name."""

    class Clicked(Message):
        """Somebody clicked on the method of that name."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, number: int, algorithm: Algorithm) -> None:
        super().__init__(Content(f"{number} {algorithm.title}"))
        self._algorithm = algorithm
        self.tooltip = algorithm.summary

    def show_choice(self, choice: AlgorithmChoice, *, is_active: bool) -> None:
        """Whether it is in force, and whether this nginx has it."""
        self.set_class(is_active, "-active")
        self.set_class(not choice.is_available, "-unavailable")
        self.tooltip = choice.summary if choice.is_available else f"{choice.title} {choice.why_not}"

    def on_click(self) -> None:
        self.post_message(self.Clicked(self._algorithm.name))


class AlgorithmBar(Horizontal, can_focus=False):
    """All methods side by side, and in the border how the one in force picks."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = Content("Algorithm")

    def compose(self) -> ComposeResult:
        for number, algorithm in enumerate(ALGORITHMS, start=1):
            yield AlgorithmChip(number, algorithm)

    def watch_snapshot(self, before: Snapshot, now: Snapshot) -> None:
        if (before.algorithm, before.algorithms) == (now.algorithm, now.algorithms):
            return
        for chip, choice in zip(self.query(AlgorithmChip), now.algorithms, strict=False):
            is_active = choice.name == now.algorithm
            chip.show_choice(choice, is_active=is_active)
            if is_active:
                self.border_subtitle = Content(choice.summary)
