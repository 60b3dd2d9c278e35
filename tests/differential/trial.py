"""Many seeds held to one nginx; what differs is shrunk and told."""

from collections.abc import Iterable

from lab.balancing.peer import PeerSpec
from lab.nginx.binary import NginxBinary
from tests.differential.foretelling import model_of
from tests.differential.referee import MismatchError, ModelMaker, Tally, compare
from tests.differential.scenario import ALGORITHMS, Scenario, made_up
from tests.differential.shrinking import shrunk


async def hold_to_nginx(
    binary: NginxBinary, seeds: Iterable[int], first_port: int, *, maker: ModelMaker = model_of
) -> Tally:
    """Play the scenarios of these seeds.

    Raises:
        AssertionError: the model and nginx differ; it tells the seed and the smallest scenario that still does.
    """
    known = tuple(algorithm for algorithm in ALGORITHMS if algorithm in binary.features)
    try:
        return await compare(binary, [made_up(seed, known) for seed in seeds], first_port, maker=maker)
    except MismatchError as mismatch:
        first = mismatch
    latest = [first]

    async def fails(scenario: Scenario) -> Scenario | None:
        try:
            await compare(binary, [scenario], first_port, lanes=1, maker=maker)
        except MismatchError as mismatch:
            latest[0] = mismatch
            return mismatch.scenario
        return None

    small = await shrunk(first.scenario, fails)
    raise AssertionError(f"nginx {binary.version_text}: {first}\n\nshrunk:\n{described(small)}\n{latest[0]}")


def described(scenario: Scenario) -> str:
    """The scenario as a person reads it."""
    servers = "\n".join(f"  server {_line(peer)}" for peer in scenario.peers)
    events = "\n".join(f"  {number}: {event}" for number, event in enumerate(scenario.events))
    return (
        f"seed {scenario.seed}, {scenario.algorithm}, tries limit {scenario.tries_limit}\n{servers}\n"
        f"{len(scenario.events)} events\n{events}"
    )


def _line(peer: PeerSpec) -> str:
    return (
        f"{peer.server} weight={peer.weight} max_conns={peer.max_conns} max_fails={peer.max_fails}"
        f" fail_timeout={peer.fail_timeout_seconds}s" + " down" * peer.is_down + " backup" * peer.is_backup
    )
