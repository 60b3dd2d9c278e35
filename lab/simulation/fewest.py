"""Least connections in logarithmic time, with nginx's rule for equals.

Peers with equally many requests per weight are a level. nginx has a round of round robin among the lowest level: each
member's current weight grows by its weight, and the winner pays for all. Here the members of a level that have the same
weight are a rank, and a rank keeps what each of them was given in one number: a member is filed by what it lacks of it,
so that a round costs no more than finding its winner.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

SPARE_ENTRIES = 64


class Rank:
    """The members of a level that have the same weight."""

    __slots__ = ("given", "heap", "members")

    def __init__(self) -> None:
        self.given = 0
        """What each member was given in all rounds so far."""
        self.members = 0
        self.heap: list[tuple[int, int, int]] = []
        """(given - current weight, place, stamp): the lowest is ahead. Those whose stamp is old have left."""


class Level:
    """The peers with equally many requests per weight."""

    __slots__ = ("members", "ranks", "total_weight")

    def __init__(self) -> None:
        self.ranks: dict[int, Rank] = {}
        self.total_weight = 0
        self.members = 0


class Fewest:
    """`least_conn` while all are up; equal to `lab.balancing.least_conn`, request by request."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self._conns = [0] * len(weights)
        self._filed = [0] * len(weights)
        """What its rank was given less its current weight, as of when it came."""
        self._stamps = [0] * len(weights)
        self._levels: dict[float, Level] = {}
        self._loads: list[float] = []
        """A heap of the levels' loads; levels that became empty are dropped when they come up."""
        for place in range(len(weights)):
            self._enter(place, 0)

    def pick(self) -> int:
        """The one with the fewest requests per weight; equals take turns."""
        levels, loads, stamps = self._levels, self._loads, self._stamps
        while not levels[loads[0]].members:
            del levels[heappop(loads)]
        level = levels[loads[0]]
        is_alone = level.members == 1
        best_current, best = 0, -1
        for weight, rank in level.ranks.items():
            heap = rank.heap
            while heap and heap[0][2] != stamps[heap[0][1]]:
                heappop(heap)
            if not is_alone:
                rank.given += weight
            if heap:
                filed, place, _ = heap[0]
                current = rank.given - filed
                if best < 0 or current > best_current or (current == best_current and place < best):
                    best_current, best = current, place
        paid = 0 if is_alone else level.total_weight
        self._leave(best, level)
        self._conns[best] += 1
        self._enter(best, best_current - paid)
        return best

    def release(self, place: int, _: float) -> None:
        """One of its requests was answered."""
        weight = self._weights[place]
        level = self._levels[self._conns[place] / weight]
        current = level.ranks[weight].given - self._filed[place]
        self._leave(place, level)
        self._conns[place] -= 1
        self._enter(place, current)

    def _leave(self, place: int, level: Level) -> None:
        weight = self._weights[place]
        self._stamps[place] += 1
        level.ranks[weight].members -= 1
        level.members -= 1
        level.total_weight -= weight

    def _enter(self, place: int, current: int) -> None:
        weight = self._weights[place]
        load = self._conns[place] / weight
        level = self._levels.get(load)
        if level is None:
            level = self._levels[load] = Level()
            heappush(self._loads, load)
        rank = level.ranks.get(weight)
        if rank is None:
            rank = level.ranks[weight] = Rank()
        rank.members += 1
        level.members += 1
        level.total_weight += weight
        filed = self._filed[place] = rank.given - current
        heap = rank.heap
        heappush(heap, (filed, place, self._stamps[place]))
        if len(heap) > 2 * rank.members + SPARE_ENTRIES:
            heap[:] = [entry for entry in heap if entry[2] == self._stamps[entry[1]]]
            heapify(heap)
