"""Two things measured in turn, and the ratio of the one to the other."""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

PAIRS = 11
"""What each of many processes gets of a small machine differs by a tenth from one run to the next."""
Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """What the pairs of measurements say; the median decides."""

    what: str
    wanted: str
    unit: str
    values: tuple[float, ...]
    ours: float
    """The median of our side, in `unit`."""
    theirs: float

    @property
    def row(self) -> str:
        """One line of the table."""
        median, low, high = statistics.median(self.values), min(self.values), max(self.values)
        sides = f"{self.ours:,.5g} : {self.theirs:,.5g} {self.unit}"
        return f"| {self.what} | {self.wanted} | **{median:.2f}** | {low:.2f} | {high:.2f} | {sides} |"


HEAD = "| ratio | wanted | median | min | max | medians of the two sides |\n|---|---|---|---|---|---|"


async def compare(what: str, wanted: str, unit: str, ours: Measure, theirs: Measure) -> Ratio:
    """Measure both in turn, now one first and now the other: a machine that slows down for a while does so for both."""
    measured = []
    for pair in range(PAIRS):
        if pair % 2:
            their = await theirs()
            measured.append((await ours(), their))
        else:
            measured.append((await ours(), await theirs()))
    return Ratio(
        what,
        wanted,
        unit,
        tuple(our / their for our, their in measured),
        statistics.median(our for our, _ in measured),
        statistics.median(their for _, their in measured),
    )
