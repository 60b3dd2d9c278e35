"""The simulation as it is usually written: on simpy, a process for each request, a scan of backends for each pick."""

from collections.abc import Callable, Generator
from importlib import import_module
from random import Random
from typing import Any

from lab.simulation.plan import Plan


class PlainBalancer:
    """What one nginx knows, and how it picks while all backends are up and weigh the same."""

    def __init__(self, algorithm: str, backends: int, rng: Random) -> None:
        self.conns = [0] * backends
        self._current = [0] * backends
        self._rng = rng
        picks: dict[str, Callable[[], int]] = {
            "round_robin": self._by_turn,
            "least_conn": self._with_fewest,
            "random": self._by_chance,
            "random_two": self._of_two,
        }
        self.pick = picks[algorithm]

    def _by_turn(self) -> int:
        return self._round(range(len(self.conns)))

    def _with_fewest(self) -> int:
        fewest = min(self.conns)
        equals = [place for place, conns in enumerate(self.conns) if conns == fewest]
        return equals[0] if len(equals) == 1 else self._round(equals)

    def _by_chance(self) -> int:
        return self._rng.randrange(len(self.conns))

    def _of_two(self) -> int:
        first, second = self._rng.sample(range(len(self.conns)), 2)
        return first if self.conns[second] > self.conns[first] else second

    def _round(self, among: "range | list[int]") -> int:
        """nginx's smooth round robin."""
        current = self._current
        best = among[0]
        for place in among:
            current[place] += 1
            if current[place] > current[best]:
                best = place
        current[best] -= len(among)
        return best


def responses_ms(plan: Plan, algorithm: str) -> list[float]:
    """The response times of exponential service, in ascending order."""
    simpy = import_module("simpy")
    rng = Random(plan.seed)  # noqa: S311 - traffic, no secrets
    world = simpy.Environment()
    backends = [simpy.Resource(world, plan.capacity) for _ in range(plan.backends)]
    balancers = [PlainBalancer(algorithm, plan.backends, rng) for _ in range(plan.balancers)]
    responses: list[float] = []
    rate_per_ms, work_per_ms = plan.rate_per_ms, 1 / plan.service_time_ms

    def request(balancer: PlainBalancer) -> Generator[Any, Any, None]:
        arrived = world.now
        place = balancer.pick()
        balancer.conns[place] += 1
        with backends[place].request() as turn:
            yield turn
            yield world.timeout(rng.expovariate(work_per_ms))
        balancer.conns[place] -= 1
        responses.append(world.now - arrived)

    def arrivals() -> Generator[Any, Any, None]:
        for _ in range(plan.requests):
            yield world.timeout(rng.expovariate(rate_per_ms))
            world.process(request(rng.choice(balancers)))

    world.process(arrivals())
    world.run()
    return sorted(responses)
