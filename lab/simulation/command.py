"""The command `lablb simulate`.

Neither variables nor the configuration file set its options: those describe a real lab.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from lab.algorithms import algorithm_named
from lab.commandline.option_types import Duration, Weights
from lab.commandline.output import require_writable
from lab.comparison.command import DEFAULT_ALGORITHMS
from lab.comparison.scenarios import SCENARIOS, scenario_named
from lab.comparison.telling import report_options, tell, told_runs
from lab.errors import UsageError
from lab.simulation.plan import Plan, Service

if TYPE_CHECKING:
    from lab.simulation.rehearsal import Rehearsal

EPILOG = """\b
Examples:
  lablb simulate --backends 1000 --balancers 20 -n 1000000
  lablb simulate --algorithms round_robin,least_conn --slow 1 --load 0.4
  lablb simulate --scenario one-slow --format html -o one-slow.html
"""
_DEFAULT = Plan()
_SCENARIOS_ONLY = frozenset(("duration", "overhead"))
_BOTHS = frozenset(("scenario", "algorithms", "seed"))


@click.command(context_settings={"show_default": True}, epilog=EPILOG)
@click.option("--algorithms", default=DEFAULT_ALGORITHMS, metavar="A,B,…", help="Which, in this order.")
@click.option("--backends", type=int, metavar="N", help="How many backends.  [default: 5, or one a weight]")
@click.option("--balancers", type=int, default=_DEFAULT.balancers, metavar="N", help="How many nginx in front of them.")
@click.option("-n", "requests", type=int, default=_DEFAULT.requests, metavar="N", help="How many requests.")
@click.option("--weights", type=Weights(), metavar="W,W,…", help="A weight for each backend, like 5,1,1,1,1.")
@click.option(
    "--load", type=float, default=_DEFAULT.load, metavar="L", help="Arrivals, to what all backends can serve."
)
@click.option(
    "--service",
    type=click.Choice([each.value for each in Service]),
    default=_DEFAULT.service.value,
    help="How service times are spread.",
)
@click.option("--service-time", type=Duration(), default="20ms", metavar="T", help="How long one takes on average.")
@click.option(
    "--capacity", type=int, default=_DEFAULT.capacity, metavar="N", help="Requests a backend works on at once."
)
@click.option("--slow", type=int, default=0, metavar="N", help="Make the last N backends slow.")
@click.option("--slow-factor", type=float, default=_DEFAULT.slow_factor, metavar="F", help="That many times slower.")
@click.option("--seed", type=int, default=_DEFAULT.seed, metavar="N", help="Another one draws other requests.")
@click.option(
    "--scenario",
    type=click.Choice([scenario.name for scenario in SCENARIOS]),
    help="Instead of a fleet, what lablb compare runs.",
)
@click.option("--duration", "-z", type=Duration(), metavar="T", help="Of a scenario.  [default: the scenario's own]")
@click.option("--overhead", type=Duration(), metavar="T", help="A scenario's, for nginx and the way.  [default: 0.8ms]")
@report_options
@click.pass_context
def simulate(ctx: click.Context, /, format_: str, output: Path | None, **options: Any) -> None:
    """Simulate what one machine can't run: many backends, behind many balancers that don't know of each other.

    Requests arrive by chance (Poisson), the same ones under each algorithm, and wait at busy backends. Nothing is
    measured. Progress goes to stderr, the report alone to stdout.
    """
    algorithms = options["algorithms"].replace(" ", "").split(",")
    for name in algorithms:
        algorithm_named(name)
        if algorithms.count(name) > 1:
            raise UsageError(f"{name} is named twice: it would come out the same again.")
    if output is not None:
        require_writable(output)
    _refuse_misplaced(ctx, options)
    from lab.simulation import report  # noqa: PLC0415 - no other command needs it

    with told_runs() as tell_run:

        def listen(progress: report.Progress) -> None:
            tell_run(progress.number, progress.count, progress.title, progress.seconds_left)

        if options["scenario"] is None:
            comparison = report.fleet(_plan(algorithms, options), listen)
        else:
            comparison = report.rehearsed(_rehearsals(algorithms, options), listen)
    tell(comparison, format_, output)


def _refuse_misplaced(ctx: click.Context, options: dict[str, Any]) -> None:
    """A scenario brings its own backends and traffic; a fleet has no use for what only a scenario has."""
    name = options["scenario"]
    misplaced = _SCENARIOS_ONLY if name is None else options.keys() - _SCENARIOS_ONLY - _BOTHS
    given = [option for option in options if option in misplaced and _is_given(ctx, option)]
    if given and name is None:
        raise UsageError(f"--{given[0]} is for a scenario: give one with --scenario, or leave it out.")
    if given:
        option = "-n" if given[0] == "requests" else f"--{given[0].replace('_', '-')}"
        raise UsageError(f"The scenario {name} says that itself: leave {option} out.")


def _is_given(ctx: click.Context, option: str) -> bool:
    return ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE


def _plan(algorithms: Sequence[str], options: dict[str, Any]) -> Plan:
    weights = options["weights"] or ()
    return Plan(
        algorithms=tuple(algorithms),
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


def _rehearsals(algorithms: Sequence[str], options: dict[str, Any]) -> "list[Rehearsal]":
    from lab.simulation.rehearsal import DEFAULT_OVERHEAD_MS, Rehearsal  # noqa: PLC0415 - as above

    scenario = scenario_named(options["scenario"])
    seconds, overhead = options["duration"], options["overhead"]
    return [
        Rehearsal(
            scenario,
            name,
            scenario.seconds if seconds is None else seconds,
            options["seed"],
            overhead_ms=DEFAULT_OVERHEAD_MS if overhead is None else overhead * 1000,
        )
        for name in algorithms
    ]
