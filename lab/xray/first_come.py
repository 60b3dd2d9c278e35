"""Of several requests that began in the same millisecond nobody knows who was first: the model's picks may tell."""

from lab.balancing.decision import Decision
from lab.logs.moments import Event, Flight


def fits(flight: Flight, decision: Decision | None) -> bool:
    """Whether nginx picked for this request whom the model has picked."""
    return flight.line.attempts[0].port == (None if decision is None else decision.port)


def whom_it_fits(decision: Decision | None, moment: list[Event], place: int) -> Flight | None:
    """One that began in this millisecond, too, and whom the pick fits: it changes places with the one at `place`."""
    mine = moment[place]
    if not _may_wait(mine[-1]):
        return None
    for other in range(place + 1, len(moment)):
        at, order, told, number, flight = moment[other]
        if number == 0 and _may_wait(flight) and fits(flight, decision):
            moment[place] = (*mine[:4], flight)
            moment[other] = (at, order, told, number, mine[-1])
            return flight
    return None


def _may_wait(flight: Flight) -> bool:
    """Whether nothing more happens to it in the millisecond in which it began."""
    return flight.line.seconds >= 0.001 and len(flight.line.attempts) == 1
