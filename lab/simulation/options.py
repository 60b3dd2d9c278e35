"""The options of `lablb simulate`. Neither variables nor the configuration file set them: those describe a real lab."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lab.algorithms import ALGORITHMS
from lab.options import Duration, Weights
from lab.simulation.plan import Plan, Service

COMPARED = ("round_robin", "least_conn", "random", "random_two")
"""What is compared unless told otherwise: those whose cost hardly grows with the number of backends."""

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULT = Plan()
_OPTIONS = (
    click.option(
        "--algorithm",
        "-a",
        "algorithms",
        multiple=True,
        type=click.Choice([algorithm.name for algorithm in ALGORITHMS]),
        help=f"May be repeated.  [default: {', '.join(COMPARED)}]",
    ),
    click.option("--backends", type=int, metavar="N", help="How many backends.  [default: 5, or one a weight]"),
    click.option("--balancers", type=int, default=_DEFAULT.balancers, metavar="N", help="How many nginx in front."),
    click.option("-n", "requests", type=int, default=_DEFAULT.requests, metavar="N", help="How many requests."),
    click.option("--weights", type=Weights(), metavar="W,W,…", help="A weight for each backend, like 5,1,1,1,1."),
    click.option("--load", type=float, default=_DEFAULT.load, metavar="L", help="1 is all that they can serve."),
    click.option(
        "--service",
        type=click.Choice([each.value for each in Service]),
        default=_DEFAULT.service.value,
        help="How service times are spread.",
    ),
    click.option("--service-time", type=Duration(), default="20ms", metavar="T", help="On average."),
    click.option("--capacity", type=int, default=_DEFAULT.capacity, metavar="N", help="Requests worked on at once."),
    click.option("--slow", type=int, default=0, metavar="N", help="Make the last N backends slow."),
    click.option("--slow-factor", type=float, default=_DEFAULT.slow_factor, metavar="F", help="That many times."),
    click.option("--seed", type=int, default=_DEFAULT.seed, metavar="N", help="Another one draws other requests."),
)


def simulation_options(command: Command) -> Command:
    """Adds the options that describe a simulation."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def simulation_plan(options: dict[str, Any]) -> Plan:
    """The plan that the options describe.

    Raises:
        UsageError: it makes no sense.
    """
    weights = options["weights"] or ()
    return Plan(
        algorithms=options["algorithms"] or COMPARED,
        backends=(len(weights) or _DEFAULT.backends) if options["backends"] is None else options["backends"],
        balancers=options["balancers"],
        requests=options["requests"],
        weights=weights,
        load=options["load"],
        service=Service(options["service"]),
        service_time_ms=options["service_time"] * 1000,
        capacity=options["capacity"],
        slow=options["slow"],
        slow_factor=options["slow_factor"],
        seed=options["seed"],
    )
