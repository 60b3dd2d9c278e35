"""Foretells whom nginx will pick, by the models of `lab.balancing`: one request after the other, all answered."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lab.algorithms import BY_CHANCE
from lab.balancing.decision import port_of
from lab.balancing.methods import upstream_named
from lab.balancing.odds import expected_shares
from lab.balancing.peer import PeerSpec
from lab.balancing.server_lines import servers_of
from lab.balancing.upstream import Visit
from lab.config import LabConfig


@dataclass(frozen=True, slots=True)
class Prediction:
    """One request's."""

    number: int
    """From 1 on."""
    port: int | None
    """None if nginx would answer that there is no live upstream."""
    why: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """All requests', and what it rests on."""

    predictions: tuple[Prediction, ...]
    notes: tuple[str, ...]

    def as_text(self) -> str:
        """A line a request, for people."""
        width = len(str(len(self.predictions)))
        lines = [f"{each.number:>{width}}  {each.port or 'none'}  {each.why}" for each in self.predictions]
        return "\n".join([*lines, *self.notes]) + "\n"

    def as_json(self) -> str:
        """A list of the contract's objects."""
        content = [{"number": each.number, "port": each.port, "why": each.why} for each in self.predictions]
        return json.dumps(content, indent=2) + "\n"


def foretell(config: LabConfig, ports: Sequence[int], *, requests: int, seed: int | None = None) -> Forecast:
    """What the lab's client would see of an nginx that has just been started on this lab.

    Raises:
        UsageError: nginx would refuse the upstream.
    """
    servers = servers_of(zip(ports, config.backends, strict=True))
    seed = secrets.randbelow(10**6) if seed is None else seed
    rng = Random(seed)  # noqa: S311 - a die, not a key
    now = int(time.time())
    upstream = upstream_named(config.algorithm, servers, clock=lambda: now, chance=lambda: rng.getrandbits(31))
    paths = config.traffic.request.paths
    visits = [Visit(paths[number % len(paths)]) for number in range(requests)]
    predictions = []
    for number, visit in enumerate(visits, start=1):
        request = upstream.begin(visit)
        decision = request.pick()
        if decision is None:
            predictions.append(Prediction(number, None, "there is no live upstream"))
            continue
        request.succeeded(round(config.behaviour.service_time_ms))
        predictions.append(Prediction(number, decision.port, decision.why))
    return Forecast(tuple(predictions), tuple(_notes(config, servers, visits, seed)))


def _notes(config: LabConfig, servers: Sequence[PeerSpec], visits: Sequence[Visit], seed: int) -> list[str]:
    notes = []
    if config.algorithm in BY_CHANCE and len(servers) > 1:
        shares = expected_shares(config.algorithm, servers, visits) or ()
        odds = ", ".join(f"{port_of(server.server)} {share:.1%}" for server, share in zip(servers, shares, strict=True))
        notes.append(f"These are by chance (seed {seed}), and nginx draws its own; the odds are {odds}.")
    if config.algorithm == "least_time":
        notes.append("This takes all backends to be equally fast; nginx goes by what it measures.")
    if config.nginx_workers > 1:
        notes.append(f"This is one worker's view; each of the {config.nginx_workers} counts for itself.")
    return notes
