"""The catalogue of nginx's balancing methods that the lab can switch between."""

from dataclasses import dataclass

from lab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One balancing method: what nginx calls it and how it picks."""

    name: str
    title: str
    """What the dashboard calls it."""
    directive: str | None
    """The line in `upstream { }`; None for nginx's default."""
    since: str
    """The first open-source nginx that has it."""
    summary: str
    """One sentence on how nginx picks."""


ALGORITHMS: tuple[Algorithm, ...] = (
    Algorithm(
        "round_robin",
        "round robin",
        None,
        "0.1.0",
        "Each backend in turn, as often as its weight says, smoothly interleaved.",
    ),
    Algorithm(
        "least_conn",
        "least conn",
        "least_conn",
        "1.3.1",
        "The backend with the fewest active requests per weight; round robin among equals.",
    ),
    Algorithm(
        "random",
        "random",
        "random",
        "1.15.1",
        "A backend drawn by chance, in proportion to its weight.",
    ),
    Algorithm(
        "random_two",
        "random two",
        "random two least_conn",
        "1.15.1",
        "Two backends drawn by chance; the one with fewer active requests per weight wins.",
    ),
    Algorithm(
        "ip_hash",
        "ip hash",
        "ip_hash",
        "0.1.0",
        "The client's address decides (its first three bytes for IPv4), so each client stays with one backend.",
    ),
    Algorithm(
        "hash",
        "hash",
        "hash $request_uri",
        "1.7.2",
        "The request's URI decides, so the same URI always goes to the same backend.",
    ),
    Algorithm(
        "hash_consistent",
        "consistent",
        "hash $request_uri consistent",
        "1.7.2",
        "The request's URI picks a point on a ring; when a backend leaves, only its own URIs move.",
    ),
    Algorithm(
        "least_time",
        "least time",
        "least_time header",
        "1.31.0",
        "The backend with the lowest average time to its header, weighed by its active requests.",
    ),
)

DEFAULT_ALGORITHM = ALGORITHMS[0].name
BY_CHANCE = frozenset(("random", "random_two"))
"""The algorithms whose picks can't be foretold, only their odds."""
BY_KEY = frozenset(("ip_hash", "hash", "hash_consistent"))
"""The algorithms that look at the request."""
WITHOUT_BACKUPS = BY_CHANCE | BY_KEY
"""The algorithms with which nginx refuses `backup`, as long as theirs is the first line, where it belongs."""
TAKING_TURNS = frozenset(("round_robin", "least_conn"))
"""The algorithms under which idle backends get their turns by their weights: none is passed by for long."""
COUNTING = frozenset(("least_conn", "least_time"))
"""The algorithms that look at how many requests are active."""

_BY_NAME = {algorithm.name: algorithm for algorithm in ALGORITHMS}


def algorithm_named(name: str) -> Algorithm:
    """The catalogue's entry for `name`.

    Raises:
        UsageError: no such algorithm; the sentence names the known ones.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise UsageError(f"There is no algorithm {name!r}: choose one of {known}.") from None
