"""Makes the screenshots of the README from a running lab: `python screenshots/make.py`."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec, LabConfig
from lab.errors import LabError
from lab.models import Snapshot
from lab.session import LabSession
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from tui.app import LabApp
from tui.screens.comparison import ComparisonScreen
from tui.screens.guess import GuessScreen
from tui.widgets.guess_panel import GuessPanel

FOLDER = Path(__file__).parent
WAIT_SECONDS = 90.0


@dataclass(frozen=True)
class Photographer:
    """A running lab, its dashboard, and whoever presses the keys."""

    lab: LabSession
    app: LabApp
    pilot: Pilot[LabError | None]

    async def wait(self, when: Callable[[Snapshot], bool]) -> None:
        """Return at a fact of the lab."""
        async with asyncio.timeout(WAIT_SECONDS):
            async for snapshot in self.lab.snapshots():
                if when(snapshot):
                    break

    async def shoot(self, name: str, when: Callable[[Snapshot], bool], keys: tuple[str, ...] = ()) -> None:
        """Press the keys, wait for a fact of the lab, and write what the screen shows then."""
        await self.pilot.press(*keys)
        await self.wait(when)
        await self.pilot.pause(0.3)
        svg = self.app.export_screenshot(title="lablb")
        svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)  # a picture should fetch nothing
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


@asynccontextmanager
async def photographer(config: LabConfig, size: tuple[int, int]) -> AsyncIterator[Photographer]:
    """A lab and its dashboard at this size, for as long as it takes."""
    lab = LabSession(config)
    app = LabApp(lab)
    async with app.run_test(size=size) as pilot:
        try:
            yield Photographer(lab, app, pilot)
        finally:
            await lab.stop()


async def main() -> None:
    """All pictures."""
    config = LabConfig(traffic=TrafficSpec(rate_rps=50), behaviour=Behaviour(service_time_ms=10))
    async with photographer(config, (120, 36)) as at_120:
        await at_120.shoot("dashboard", lambda now: now.traffic.answered > 1500)
        await at_120.shoot("killed", _shows_fail_over, ("2", "down", "down", "k"))
        await at_120.shoot("faults", lambda now: bool(now.feed), ("down", "e"))
        await at_120.pilot.press("escape")
        await at_120.shoot("config", lambda now: now.config is not None and now.config.generation > 2, ("w", "n"))
        await at_120.shoot("latency", lambda now: now.traffic.answered > 3000, ("escape", "down", "s", "l"))
        await at_120.shoot("xray", lambda now: now.xray is not None and now.xray.foretold >= 100, ("escape", "1", "x"))
        await at_120.shoot("ring", _shows_a_ring, ("7",))
        await at_120.shoot("request", lambda now: bool(now.feed), ("1", "p", "up", "up", "enter"))
        await at_120.shoot(
            "compare",
            lambda _: _has_compared(at_120.app),
            ("escape", "escape", "c", "j", "minus", "minus", "enter"),
        )
    weights = tuple(BackendSpec(weight=weight) for weight in (5, 1, 1))
    async with photographer(LabConfig(backends=weights), (100, 30)) as at_100:
        await at_100.wait(lambda now: now.traffic.answered > 40)
        for rounds, key in enumerate("g113"):
            await at_100.pilot.press(key)
            async with asyncio.timeout(WAIT_SECONDS):
                while _guesses(at_100.app) != rounds:
                    await at_100.pilot.pause(0.05)
        await at_100.shoot("guess", lambda now: now.traffic.is_paused)
    async with photographer(config, (80, 24)) as at_80:
        await at_80.shoot("small-light", lambda now: now.traffic.answered > 500, ("t",))


def _shows_a_ring(snapshot: Snapshot) -> bool:
    """With so many requests that the shares in the grid and in the X-ray are of the same ones."""
    return snapshot.xray is not None and bool(snapshot.xray.ring) and snapshot.xray.foretold >= 150


def _shows_fail_over(snapshot: Snapshot) -> bool:
    is_killed = any(backend.state is BackendState.KILLED for backend in snapshot.backends)
    return is_killed and any(len(request.attempts) > 1 for request in snapshot.feed[-3:])


def _guesses(app: LabApp) -> int | None:
    """How many were answered and explained; None while the next can't be made."""
    if not isinstance(app.screen, GuessScreen):
        return None
    panel = app.screen.query_one(GuessPanel)
    is_told = panel.game.answer is None or panel.game.answer.pick is not None
    return panel.game.rounds if panel.is_quiet and is_told and panel.game.guessed is None else None


def _has_compared(app: LabApp) -> bool:
    """The fact that is waited for: all runs of the comparison are over."""
    return isinstance(app.screen, ComparisonScreen) and app.screen.found is not None


if __name__ == "__main__":
    asyncio.run(main())
