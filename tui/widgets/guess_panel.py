"""The guessing game: the backends to choose from, the question, and the answer."""

from lab.models import Snapshot
from tui.formatting import paragraph, shorten
from tui.guess import Game
from tui.ink import BLANK, Ink, Line
from tui.widgets.line_panel import LinePanel
from tui.xray_columns import peer_heading, peer_lines
from tui.xray_text import pick_lines


class GuessPanel(LinePanel):
    """What the learner may know before the guess, and what is told after it."""

    heading = "Who is next?"

    def __init__(self) -> None:
        super().__init__()
        self.game = Game()
        self.has_hints = True
        """Whether what the algorithm looks at is shown."""
        self.is_quiet = False
        """Whether the client has stopped, so that the next request is the learner's."""
        self.does_client_go_on = False
        """Whether it was paused for the game only."""

    def draw(self, snapshot: Snapshot, width: int, height: int) -> list[Line]:
        xray = snapshot.xray
        if xray is None:
            return [(("nginx has no configuration yet.", Ink.MUTED),)]
        choice = next((choice for choice in snapshot.algorithms if choice.name == xray.algorithm), None)
        about = f"{choice.title}: {choice.summary}" if choice else xray.algorithm
        lines = [*paragraph(about, width, Ink.MUTED), BLANK]
        if xray.why_not is None:
            lines += [
                peer_heading(xray.algorithm, width),
                *peer_lines(xray, width, says_next=False, numbers=self.has_hints and not xray.is_lost),
            ]
        else:
            names = "   ".join(
                f"{place % 10} {backend.port}" for place, backend in enumerate(snapshot.backends[:10], start=1)
            )
            lines.append(((names, Ink.PLAIN),))
            lines += paragraph(xray.why_not, width, Ink.WARNING)
        return [*lines, BLANK, *self._told(width), BLANK, *self._question(width)]

    def _told(self, width: int) -> list[Line]:
        answer = self.game.answer
        if self.game.is_missed:
            return [(("Your request went by among too many others: nobody saw where it went.", Ink.WARNING),)]
        if answer is None:
            return []
        where = "no live backend" if answer.port is None else str(answer.port)
        verdict, ink = ("✓ Right", Ink.GOOD) if answer.is_right else (f"✗ You said {answer.guessed}", Ink.BAD)
        lines: list[Line] = [((f"{verdict}: nginx picked {where}.", ink),)]
        return lines if answer.pick is None else [*lines, *pick_lines(answer.pick, width)]

    def _question(self, width: int) -> list[Line]:
        game = self.game
        if game.guessed is not None:
            return [((f"You say {game.guessed}. One request is on its way …", Ink.ACCENT),)]
        if not self.is_quiet:
            return [(("The client is being paused …", Ink.MUTED),)]
        again = "And the next one?" if game.answer else "Which backend gets the next request?"
        lines: list[Line] = [((shorten(f"{again} Press its number.", width), Ink.STRONG),)]
        lines.append(((f"Score: {game.score}", Ink.HEADING),))
        pause = "The lab's client pauses meanwhile, and goes on when you leave."
        return [*lines, BLANK, ((shorten(pause, width), Ink.MUTED),)] if self.does_client_go_on else lines
