"""The X-ray's table: a line a backend, with the columns that its algorithm looks at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lab.algorithms import BY_KEY
from lab.xray.view import PeerXRay, XRay
from tui.formatting import UNKNOWN, count, fit, percent, shorten
from tui.ink import Ink, Line, Span

OWNER_INKS = (Ink.HEADING, Ink.GOOD, Ink.WARNING, Ink.ACCENT, Ink.BAD)
_SIGNS = "1234567890abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Column:
    """What the algorithm looks at in a backend."""

    heading: str
    cell: Callable[[PeerXRay], str]

    @property
    def width(self) -> int:
        return len(self.heading) + 2


_WEIGHT = Column("weight", lambda peer: str(peer.weight))
_EFFECTIVE = Column("effective", lambda peer: str(peer.effective_weight))
_CURRENT = Column("current", lambda peer: f"{peer.current_weight:+d}" if peer.current_weight else "0")
_ACTIVE = Column("active", lambda peer: str(peer.active))
_ODDS = Column(" odds", lambda peer: percent(peer.odds))
_COLUMNS = {
    "round_robin": (_WEIGHT, _EFFECTIVE, _CURRENT),
    "least_conn": (_WEIGHT, _ACTIVE, _CURRENT),
    "random": (_WEIGHT, _ODDS),
    "random_two": (_WEIGHT, _ACTIVE, Column("idle odds", lambda peer: percent(peer.odds))),
    "hash_consistent": (_WEIGHT, Column("of ring", lambda peer: percent(peer.odds))),
    "least_time": (
        _WEIGHT,
        _ACTIVE,
        Column("avg ms", lambda peer: str(peer.average_ms)),
        Column("expected ms", lambda peer: count(peer.eta_ms)),
    ),
}
_BY_WEIGHT = ("round_robin", "least_conn", "random")
"""Where what is to be expected is what the weights say, whoever is put aside; the grid reckons with that."""
_HITS, _SHARE, _EXPECTED = 8, 9, 10
_NUMBER, _PORT = 4, 6
_GAP = 2
"""Before the note."""
_MAY_GO = 3
"""So many cells, from the right, give way in the line of a backend whose state needs the room: the shares, at last
the hits."""
NO_STATES: Mapping[int, Span] = MappingProxyType({})


def sign_of(place: int) -> Span:
    """How the backend at this place in the list is drawn: a sign and an ink."""
    return _SIGNS[place % len(_SIGNS)], OWNER_INKS[place % len(OWNER_INKS)]


def peer_heading(algorithm: str, width: int) -> Line:
    """The line above the backends."""
    cells = [" " * _NUMBER, fit("port", _PORT)]
    cells += [fit(column.heading, column.width, to_right=True) for column in _columns(algorithm)]
    cells += [fit("hits", _HITS, to_right=True), fit("share", _SHARE, to_right=True)]
    cells.append(fit("by weight" if algorithm in _BY_WEIGHT else "expected", _EXPECTED, to_right=True))
    return ((shorten("".join(cells), width), Ink.HEADING),)


def peer_lines(
    xray: XRay,
    width: int,
    *,
    says_next: bool = True,
    numbers: bool = True,
    states: Mapping[int, Span] = NO_STATES,
) -> list[Line]:
    """A line a backend.

    Args:
        says_next: Whether whoever is next is marked.
        numbers: Whether what the algorithm looks at is shown.
        states: In which state a process is, by port, where that is to be told.
    """
    lines = []
    for place, peer in enumerate(xray.peers):
        is_next = says_next and peer.port == xray.next_port
        cells = _cells(place, xray, is_next=is_next, numbers=numbers)
        notes, ink = _notes(peer, xray.algorithm, is_next=is_next) if numbers else (("",), Ink.PLAIN)
        lines.append(_noted(cells, states.get(peer.port), notes, ink, width))
    return lines


def _cells(place: int, xray: XRay, *, is_next: bool, numbers: bool) -> list[Span]:
    peer, hits = xray.peers[place], sum(each.hits for each in xray.peers)
    sign, ink = sign_of(place)
    spans: list[Span] = [
        ("▸ " if is_next else "  ", Ink.ACCENT),
        (f"{sign} ", ink),
        (fit(str(peer.port), _PORT), Ink.STRONG if is_next else Ink.PLAIN),
    ]
    for column in _columns(xray.algorithm):
        text = column.cell(peer) if numbers else "?"
        spans.append((fit(text, column.width, to_right=True), Ink.PLAIN if numbers else Ink.MUTED))
    return [
        *spans,
        (fit(count(peer.hits, _HITS - 1), _HITS, to_right=True), Ink.STRONG),
        (fit(percent(peer.hits / hits if hits else None), _SHARE, to_right=True), Ink.PLAIN),
        (fit(_expected(peer, hits), _EXPECTED, to_right=True), Ink.MUTED),
    ]


def _noted(cells: list[Span], state: Span | None, notes: tuple[str, ...], ink: Ink, width: int) -> Line:
    """The cells, the state and the longest note for which there is room."""
    room = width - _length(cells) - _GAP
    if state is not None:
        room -= len(state[0])
        notes = tuple(f" · {note}" if note else "" for note in notes)
        for _ in range(_MAY_GO):
            if room < min(map(len, notes)):
                room += len(cells.pop()[0])
    note = next((note for note in notes if len(note) <= room), notes[-1])
    said = () if state is None else (state,)
    return (*cells, (" " * _GAP, Ink.PLAIN), *said, (shorten(note, max(room, 0)), ink))


def _length(spans: Sequence[Span]) -> int:
    return sum(len(text) for text, _ in spans)


def _columns(algorithm: str) -> Sequence[Column]:
    return _COLUMNS.get(algorithm, (_WEIGHT,))


def _expected(peer: PeerXRay, hits: int) -> str:
    return percent(peer.expected / hits) if peer.expected is not None and hits else UNKNOWN


def _notes(peer: PeerXRay, algorithm: str, *, is_next: bool) -> tuple[tuple[str, ...], Ink]:
    """What is to be known of it, the longest way to say it first."""
    if peer.refusal is not None:
        return (f"✗ {peer.refusal}", f"✗ {peer.refusal_in_short}"), Ink.BAD
    rest = rest_of(peer) if algorithm == "least_time" else ""
    known = [note for note in ("tied" * peer.is_tied, rest) if note]
    if is_next:
        with_key = "next with the last key" if algorithm in BY_KEY else "next"
        return (", ".join([with_key, *known]), "next"), Ink.ACCENT
    return (", ".join(known), *known[-1:], ""), Ink.MUTED


def rest_of(peer: PeerXRay) -> str:
    """That `least_time` takes its average for less than it is; empty where it doesn't."""
    if not peer.halvings or not peer.average_ms:
        return ""
    parts = {1: "half", 2: "a quarter"}
    return f"rests: counts {parts.get(peer.halvings, 'next to nothing')}"
