"""What the X-ray's columns mean, in a sentence or two."""

from lab.xray.view import XRay
from tui.formatting import paragraph
from tui.ink import Ink, Line

_LEGENDS = {
    "round_robin": "effective is its weight: less after failures, then 1 more each round until it is whole again. "
    "current is what it has saved up: each round adds everybody's effective weight, the highest wins and pays for all.",
    "least_conn": "active are the requests it has and hasn't finished: the fewest per weight win. "
    "current decides among equals, as in round robin: each tie adds their weights, the highest wins and pays for all.",
    "random": "odds are those of the next request, in proportion to the weights of whoever may be picked.",
    "random_two": "idle odds are those of the next request while nobody is busy: then the second one drawn wins.",
    "least_time": "expected ms is the average, up to the next step of 20 ms, times one more than the active: "
    "the least per weight wins. The average counts half after each fail_timeout of rest.",
}
_HEAVIEST_WINS = " While answers take less than 20 ms, all expect 20 ms and the heaviest wins."
_STEP_MS = 20
_MOST_LINES = 3


def legend_lines(xray: XRay, width: int) -> list[Line]:
    """For people who see the columns for the first time; nothing where they explain themselves."""
    said = _LEGENDS.get(xray.algorithm, "")
    if xray.algorithm == "least_time" and len({peer.weight for peer in xray.peers}) > 1:
        said += _HEAVIEST_WINS if all(peer.average_ms < _STEP_MS for peer in xray.peers) else ""
    lines = paragraph(said, width, Ink.MUTED) if said else []
    return lines if len(lines) <= _MOST_LINES else []
