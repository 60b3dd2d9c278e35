"""Least connections in logarithmic time, with nginx's rule for equals.

Peers with equally many requests per weight are a level. nginx has a round of round robin among the lowest level: each
member's current weight grows by its weight, and the winner pays for all. Here the members of a level that have the same
weight are a rank, and a rank keeps what each of them was given in one number: a member is filed by what it lacks of it,
so that a round costs no more than finding its winner.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

SPARE_ENTRIES = 64


class Level:
    """The peers with equally many requests per weight."""

    __slots__ = ("is_listed", "load", "members", "ranks", "total_weight")

    def __init__(self, load: float) -> None:
        self.load = load
        self.ranks: dict[int, Rank] = {}
        """By weight."""
        self.total_weight = 0
        self.members = 0
        self.is_listed = False
        """Among those that may be the lowest."""


class Rank:
    """The members of a level that have the same weight."""

    __slots__ = ("above", "below", "conns", "given", "heap", "level", "members", "newcomers", "weight")

    def __init__(self, level: Level, weight: int, conns: int) -> None:
        self.level = level
        self.weight = weight
        self.conns = conns
        """Of each member."""
        self.given = 0
        """What each member was given in all rounds so far."""
        self.members = 0
        self.heap: list[int] = []
        """The members' entries, the lowest ahead, among those of peers that have left."""
        self.newcomers: list[int] = []
        """Entries that aren't in the heap yet: most leave before anybody looks."""
        self.above: Rank | None = None
        """Of those with one request more; None until there was one."""
        self.below: Rank | None = None


class Fewest:
    """`least_conn` while all are up; equal to `lab.balancing.least_conn`, request by request.

    A peer's entry is what it lacks times the number of peers, plus its place: entries sort by the first, and equals by
    their place.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self._count = len(weights)
        self._entries = [0] * len(weights)
        """Of each peer the one that counts."""
        self._levels: dict[float, Level] = {}
        """By requests per weight."""
        self._listed: list[tuple[float, Level]] = []
        """A heap; levels that became empty are dropped when they come up."""
        self._ranks: list[Rank] = []
        """That each peer is in."""
        for place, weight in enumerate(weights):
            self._ranks.append(self._rank(weight, 0))
            self._enter(place, self._ranks[place], 0)

    def pick(self) -> int:
        """The one with the fewest requests per weight; equals take turns."""
        level = self._listed[0][1]
        while not level.members:
            heappop(self._listed)
            level.is_listed = False
            level = self._listed[0][1]
        is_alone = level.members == 1
        best, best_current = -1, 0
        for weight, rank in level.ranks.items():
            if not is_alone:
                rank.given += weight
            entry = self._first(rank)
            if entry is not None:
                lacks, place = divmod(entry, self._count)
                current = rank.given - lacks
                if best < 0 or current > best_current or (current == best_current and place < best):
                    best, best_current = place, current
        paid = 0 if is_alone else level.total_weight
        rank = self._ranks[best]
        if rank.above is None:
            rank.above = self._rank(rank.weight, rank.conns + 1)
            rank.above.below = rank
        self._leave(rank)
        self._enter(best, rank.above, best_current - paid)
        return best

    def release(self, place: int) -> None:
        """One of its requests was answered."""
        rank = self._ranks[place]
        assert rank.below is not None, "it has none"
        current = rank.given - self._entries[place] // self._count
        self._leave(rank)
        self._enter(place, rank.below, current)

    def _leave(self, rank: Rank) -> None:
        level = rank.level
        rank.members -= 1
        level.members -= 1
        level.total_weight -= rank.weight

    def _enter(self, place: int, rank: Rank, current: int) -> None:
        level = rank.level
        rank.members += 1
        level.members += 1
        level.total_weight += rank.weight
        if not level.is_listed:
            level.is_listed = True
            heappush(self._listed, (level.load, level))
        self._ranks[place] = rank
        entry = self._entries[place] = (rank.given - current) * self._count + place
        newcomers = rank.newcomers
        newcomers.append(entry)
        if len(newcomers) > 2 * rank.members + SPARE_ENTRIES:
            newcomers[:] = self._counting(newcomers, rank)

    def _first(self, rank: Rank) -> int | None:
        """The entry of the member that is ahead."""
        heap, entries, ranks, count = rank.heap, self._entries, self._ranks, self._count
        if rank.newcomers:
            for entry in rank.newcomers:
                place = entry % count
                if entries[place] == entry and ranks[place] is rank:
                    heappush(heap, entry)
            rank.newcomers.clear()
            if len(heap) > 2 * rank.members + SPARE_ENTRIES:
                heap[:] = self._counting(heap, rank)
                heapify(heap)
        while heap:
            entry = heap[0]
            place = entry % count
            if entries[place] == entry and ranks[place] is rank:
                return entry
            heappop(heap)
        return None

    def _counting(self, among: list[int], rank: Rank) -> set[int]:
        """Those of these entries whose peers haven't left."""
        entries, ranks, count = self._entries, self._ranks, self._count
        return {entry for entry in among if entries[entry % count] == entry and ranks[entry % count] is rank}

    def _rank(self, weight: int, conns: int) -> Rank:
        """The one for these; made if there is none."""
        load = conns / weight
        level = self._levels.get(load)
        if level is None:
            level = self._levels[load] = Level(load)
        rank = level.ranks.get(weight)
        if rank is None:
            rank = level.ranks[weight] = Rank(level, weight, conns)
        return rank
