"""Least connections among peers of one weight: what `lab.simulation.fewest` does, where a level has a single rank.

It is written for speed: everything is in lists by level, and what happens for each request calls nothing.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from lab.simulation.fewest import SPARE_ENTRIES


def fewest_of_equals(  # noqa: C901, PLR0915 - calls take as long as what they would name
    count: int,
) -> tuple[Callable[[], int], Callable[[int], None]]:
    """`pick()` and `release(place)` of so many peers.

    A level's number is that of the requests that its members have. An entry is what a peer lacks of what its level was
    given, times the number of peers, plus its place.
    """
    conns = [0] * count
    entries = list(range(count))
    given, members = [0], [count]
    heaps: list[list[int]] = [entries.copy()]
    newcomers: list[list[int] | None] = [[]]
    """Entries that aren't in the heap yet: most leave before anybody looks. None for so many that it is quicker to look
    through all peers once somebody does."""
    lowest, many = 0, count + SPARE_ENTRIES

    def pick() -> int:
        nonlocal lowest
        while not members[lowest]:
            lowest += 1
        level = lowest
        coming = newcomers[level]
        if coming is None or coming:
            welcome(level)
        heap = heaps[level]
        entry = heappop(heap)
        place = entry % count
        while entries[place] != entry or conns[place] != level:
            entry = heappop(heap)
            place = entry % count
        current = given[level] - entry // count
        if members[level] > 1:  # each is given one, and the winner pays for all
            given[level] += 1
            current += 1 - members[level]
        members[level] -= 1
        level += 1
        if level == len(members):
            given.append(0)
            members.append(0)
            heaps.append([])
            newcomers.append([])
        conns[place] = level
        members[level] += 1
        entries[place] = entry = (given[level] - current) * count + place
        coming = newcomers[level]
        if coming is not None:
            coming.append(entry)
            if len(coming) > many:
                newcomers[level] = None
        return place

    def release(place: int) -> None:
        nonlocal lowest
        level = conns[place]
        current = given[level] - entries[place] // count
        members[level] -= 1
        level -= 1
        if level < lowest:  # noqa: PLR1730 - so does min()
            lowest = level
        conns[place] = level
        members[level] += 1
        entries[place] = entry = (given[level] - current) * count + place
        coming = newcomers[level]
        if coming is not None:
            coming.append(entry)
            if len(coming) > many:
                newcomers[level] = None

    def welcome(level: int) -> None:
        heap, coming = heaps[level], newcomers[level]
        if coming is None:
            heap[:] = [entry for entry, each in zip(entries, conns, strict=True) if each == level]
            heapify(heap)
            newcomers[level] = []
            return
        for entry in coming:
            if entries[entry % count] == entry and conns[entry % count] == level:
                heappush(heap, entry)
        coming.clear()
        if len(heap) > 2 * members[level] + SPARE_ENTRIES:
            heap[:] = {entry for entry in heap if entries[entry % count] == entry and conns[entry % count] == level}
            heapify(heap)

    return pick, release
