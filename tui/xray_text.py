"""The X-ray in words and signs: its record, why the last request went where it went, and the algorithm's drawing."""

from bisect import bisect_left

from lab.algorithms import BY_CHANCE
from lab.inert import inert
from lab.models import Snapshot
from lab.xray.view import PairXRay, Pick, XRay
from tui.drawing import bar
from tui.formatting import UNKNOWN, fit, paragraph, percent, shorten, wrap
from tui.ink import BLANK, Ink, Line, Span
from tui.noise_text import finding_of
from tui.xray_columns import sign_of

RING_SIZE = 2**32
_AROUND = (3, 9)
"""So many points before and after the key's place are drawn larger."""
_BAR = 20
LEAST_P = 0.001
"""Smaller ones say no more."""
_MOST_KEY = 32


def record_of(xray: XRay) -> str:
    """How often the model was right so far."""
    if xray.algorithm in BY_CHANCE:
        return "a model · nginx draws, so there are only odds"
    if xray.is_lost:
        return "a model · it has lost its place, and looks for it"
    if not xray.foretold:
        return "a model" if xray.why_not else "a model, nothing foretold yet"
    wrong = xray.foretold - xray.right
    sign = "✓" if not wrong else f"{percent(xray.right / xray.foretold)},"
    return f"a model · {sign} predicted {xray.right:,} of {xray.foretold:,}"


def verdict_lines(snapshot: Snapshot, width: int) -> list[Line]:
    """Whether the shares are as they should be, in the grid's words, and how fair they are."""
    noise = snapshot.noise
    said = finding_of(snapshot)
    if noise is not None and noise.p is not None and snapshot.algorithm in BY_CHANCE:
        said += f": p < {LEAST_P}" if noise.p < LEAST_P else f": p = {noise.p:.3f}"
    jain = None if noise is None else noise.jain
    fairness = UNKNOWN if jain is None else f"{jain:.3f}"
    first, *more = wrap(f"Noise or real? {said}", width)
    question = len("Noise or real?")
    lines: list[Line] = [((first[:question], Ink.HEADING), (first[question:], Ink.PLAIN))]
    lines += [((line, Ink.PLAIN),) for line in more]
    index: Line = (
        ("Jain's fairness index", Ink.HEADING),
        (f" {fairness}", Ink.PLAIN),
        (" per weight; 1 = all alike", Ink.MUTED),
    )
    return [*lines, index]


def pick_lines(pick: Pick | None, width: int) -> list[Line]:
    """One request, and in a sentence why it went where it went."""
    if pick is None:
        return [(("No request yet.", Ink.MUTED),)]
    ink = Ink.BAD if pick.is_wrong else Ink.STRONG
    said = f"{shorten(pick.what, max(width // 2, 8))}: {pick.sentence}."
    return paragraph(said, width, ink)


def latest_line(xray: XRay, width: int) -> Line:
    """The latest picks, newest last: right ones plain, wrong ones marked."""
    places = {peer.port: place for place, peer in enumerate(xray.peers)}
    spans: list[Span] = [("latest ", Ink.MUTED)]
    room = width - len("latest ")
    cells: list[Span] = []
    for pick in reversed(xray.picks):
        name = "none" if pick.port is None else str(pick.port)
        text = f"{name}{'✗' if pick.is_wrong else ''} "
        if (room := room - len(text)) < 0:
            break
        ink = Ink.BAD if pick.is_wrong or pick.port not in places else sign_of(places[pick.port])[1]
        cells.append((text, ink))
    return (*spans, *reversed(cells))


def drawing_lines(xray: XRay, width: int, height: int) -> list[Line]:
    """What the algorithm decides by, drawn: in no more lines, blank ones aside."""
    match xray.algorithm:
        case "hash_consistent":
            return ring_lines(xray, width, height)
        case "hash" | "ip_hash":
            return walk_lines(xray, width, height)
        case "random_two":
            return _cut(pair_lines(xray), height, "pairs")
        case "random":
            return _cut([_share_line(str(peer.port), peer.odds or 0, "") for peer in xray.peers], height, "backends")
        case _:
            return []


def _cut(lines: list[Line], height: int, what: str) -> list[Line]:
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], ((f"… and {len(lines) - height + 1} {what} more", Ink.MUTED),)]


def pair_lines(xray: XRay) -> list[Line]:
    """Each pair with its odds, and who would win it."""
    if not xray.pairs:
        many = sum(peer.refusal is None for peer in xray.peers)
        said = f"{many * (many - 1) // 2} pairs can be drawn of {many} backends: too many to list."
        return [((said, Ink.MUTED),)] if many > 1 else []
    heading: Line = (("pair       drawn, in either order           who wins", Ink.HEADING),)
    lines = [_share_line("+".join(map(str, pair.ports)), pair.odds, _winner(pair)) for pair in xray.pairs]
    return [heading, *lines]


def _winner(pair: PairXRay) -> str:
    return "the second one drawn" if pair.winner is None else f"{pair.winner}, with fewer active"


def _share_line(name: str, odds: float, then: str) -> Line:
    return (
        (fit(name, 11), Ink.PLAIN),
        (bar(odds, _BAR), Ink.BAR),
        (fit(percent(odds), 9, to_right=True), Ink.PLAIN),
        (f"    {then}", Ink.MUTED),
    )


def walk_lines(xray: XRay, width: int, height: int) -> list[Line]:
    """Whose the numbers are, and the hashes of the last key, step by step: the last ones where room is short."""
    total = sum(peer.weight for peer in xray.peers)
    lines: list[Line] = [_numbers(xray, width), BLANK]
    if xray.last is None or xray.last.key is None:
        return lines
    lines.append((("key ", Ink.MUTED), (shorten(xray.last.key, _MOST_KEY), Ink.STRONG)))
    steps = xray.last.steps
    shown = max(height - len(lines) + 1, 1)
    if len(steps) > shown:
        shown = max(shown - 1, 1)
        lines.append(((f"… {len(steps) - shown} in vain before", Ink.MUTED),))
    for step in steps[-shown:]:
        then = f"→ {step.port}" + (f" ✗ {step.refusal}" if step.refusal else "")
        ink = Ink.BAD if step.refusal else Ink.STRONG
        lines.append(((f"hash {step.hash:>10}  modulo {total} = {step.place:<4} ", Ink.PLAIN), (then, ink)))
    return lines if len(lines) - 1 <= height else lines[-height:]


def _numbers(xray: XRay, width: int) -> Line:
    spans: list[Span] = [("numbers ", Ink.MUTED)]
    start, room = 0, width - len("numbers …")
    for place, peer in enumerate(xray.peers):
        end = start + peer.weight - 1
        numbers, whose = str(start) if end == start else f"{start}–{end}", f" → {peer.port}  "
        room -= len(numbers + whose)
        if room < 0:
            return (*spans, ("…", Ink.MUTED))
        spans += [(numbers, sign_of(place)[1]), (whose, Ink.MUTED)]
        start = end + 1
    return tuple(spans)


def ring_lines(xray: XRay, width: int, height: int) -> list[Line]:
    """The whole ring unrolled, each cell with the sign of whoever owns its middle, and the part around the key."""
    if not xray.ring:
        return []
    hashes = [point for point, _ in xray.ring]
    places = {peer.port: place for place, peer in enumerate(xray.peers)}

    def owner(place: int) -> Span:
        port = xray.ring[bisect_left(hashes, place) % len(hashes)][1]
        return sign_of(places.get(port, 0))

    ring = tuple(owner(round((cell + 0.5) * RING_SIZE / width)) for cell in range(width))
    heading: Line = ((f"the ring, {len(xray.ring)} points: each cell has the number of its owner", Ink.HEADING),)
    key_hash = None if xray.last is None else xray.last.key_hash
    if xray.last is None or key_hash is None:
        return [heading, BLANK, ring]
    cell = min(key_hash * width // RING_SIZE, width - 1)
    mark: Line = ((" " * cell + "▼", Ink.ACCENT),)
    key = inert(shorten(xray.last.key or "", _MOST_KEY))
    place = f"at {key_hash:08x}, and the points from there on, to the right"
    closer: Line = ((f"closer: ◆ {shorten(key, max(width - len(place) - 11, 4))} {place}", Ink.HEADING),)
    lines = [heading, mark, ring, BLANK, closer, _closer(xray, hashes, places, key_hash, width)]
    return lines if len(lines) - 1 <= height else [mark, ring, lines[-1]][-height:]


def _closer(xray: XRay, hashes: list[int], places: dict[int, int], key_hash: int, width: int) -> Line:
    first = bisect_left(hashes, key_hash)
    points = [
        (hashes[number % len(hashes)] + number // len(hashes) * RING_SIZE, xray.ring[number % len(hashes)][1])
        for number in range(first - _AROUND[0], first + _AROUND[1])
    ]
    low, high = points[0][0], points[-1][0]
    cells: list[Span] = [("·", Ink.MUTED)] * width

    def column(place: int) -> int:
        return (place - low) * (width - 1) // max(high - low, 1)

    for point, port in points:
        cells[column(point)] = sign_of(places.get(port, 0))
    cells[column(key_hash)] = ("◆", Ink.ACCENT)
    return tuple(cells)
