"""The options that all commands share, and the lab they describe.

The command line beats `LABLB_*` variables, which beat the configuration file, which beats the defaults.
"""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from lab.algorithms import ALGORITHMS, DEFAULT_ALGORITHM
from lab.backends.behaviour import Behaviour
from lab.commandline.option_types import ChosenDuration, Duration, FaultType, Header, RampType, RetryRules, Weights
from lab.config import DASHBOARD_RATE_RPS, BackendSpec, LabConfig
from lab.errors import UsageError
from lab.faults.fault import FaultKind
from lab.traffic.plan import Arrivals, Ramp, RequestSpec, TrafficSpec

RUN_REQUESTS = 1000
"""How many requests `lablb run` fires unless told how many or how long."""

FAULT_KINDS = f"Kinds: {', '.join(FaultKind)}."

Command = TypeVar("Command", bound=Callable[..., Any])


def _option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option that `LABLB_<NAME>` can set too."""
    long_name = next(name for name in names if name.startswith("--"))
    variable = "LABLB_" + long_name.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=False, **attributes)


_LAB_OPTIONS = (
    _option(
        "--algorithm",
        "-a",
        type=click.Choice([algorithm.name for algorithm in ALGORITHMS]),
        default=DEFAULT_ALGORITHM,
        show_default=True,
        help="How nginx picks a backend.",
    ),
    _option("--backends", type=int, metavar="N", help="How many backends.  [default: 5, or one a weight]"),
    _option("--weights", type=Weights(), metavar="W,W,…", help="A weight for each backend, like 5,1,1,1,1."),
    _option("--backups", type=int, default=0, metavar="N", help="Make the last N backends backups."),
    _option("--max-fails", type=int, default=1, metavar="N", help="nginx's max_fails.  [default: 1]"),
    _option("--fail-timeout", type=Duration(), default=10.0, metavar="T", help="nginx's fail_timeout.  [default: 10s]"),
    _option(
        "--next-upstream",
        type=RetryRules(),
        default="error timeout",
        metavar="'W W …'",
        help="When nginx tries another backend, like 'error timeout http_500', or off.  [default: 'error timeout']",
    ),
    _option(
        "--service-time", type=ChosenDuration(), default=0.0, metavar="T", help="How long a backend takes, like 20ms."
    ),
    _option("--capacity", type=int, metavar="N", help="Requests a backend works on at once.  [default: no limit]"),
    _option("--restart", is_flag=True, help="Bring back backends that die."),
    _option("--keep-root", is_flag=True, help="Started as root, let backends and nginx's workers stay root."),
    _option("--port", type=int, metavar="PORT", help="nginx's port.  [default: 70, or 8070 where 70 isn't allowed]"),
    _option("--base-port", type=int, metavar="PORT", help="The first backend's port.  [default: 71, or 8071]"),
    _option(
        "--nginx", default="bundled", metavar="WHICH", help="bundled, system, or the PATH of one.  [default: bundled]"
    ),
    _option("--nginx-workers", type=int, default=1, metavar="N", help="nginx's worker_processes.  [default: 1]"),
)

_NOT_FORETOLD_FROM = frozenset(
    ("max_fails", "fail_timeout", "next_upstream", "capacity", "restart", "keep_root", "nginx")
)
"""Where nothing fails and no nginx is asked."""

_SEED = _option("--seed", type=int, metavar="N", help="Repeat what is left to chance.")
_PATH = _option("--path", multiple=True, metavar="PATH", help="Their path; several are taken in turn.  [default: /]")

_TRAFFIC_OPTIONS = (
    _option("--requests", "-n", type=int, metavar="N", help="Stop after N requests."),
    _option("--connections", "-c", type=int, metavar="N", help="Requests under way at once.  [default: 1]"),
    _option("--duration", "-z", type=Duration(), metavar="T", help="Stop after so long, like 10s."),
    _option("--rate", "-q", type=float, metavar="RPS", help="Requests a second in total: an open loop."),
    _option(
        "--arrivals",
        type=click.Choice([each.value for each in Arrivals]),
        default="steady",
        help="How -q spreads them.",
    ),
    _option("--ramp", type=RampType(), metavar="FROM:TO:T", help="An open loop whose rate ramps, like 10:500:30s."),
    _SEED,
    _option("--method", default="GET", metavar="M", help="The requests' method.  [default: GET]"),
    _PATH,
    _option(
        "--header",
        "-H",
        type=Header(),
        multiple=True,
        metavar="'N: V'",
        help="A header field of the requests; may be repeated.",
    ),
    _option("--body", default="", metavar="TEXT", help="The requests' body."),
    _option("--no-keepalive", is_flag=True, help="Open a connection for each request."),
    _option("--timeout", type=Duration(), default=5.0, metavar="T", help="The client's patience.  [default: 5s]"),
    _option(
        "--fault",
        type=FaultType(),
        multiple=True,
        metavar="FAULT",
        help=f"Break a backend by the clock, like kill:73@2s or slow:72:300ms@3s..6s; may be repeated. {FAULT_KINDS}",
    ),
)


def lab_options(command: Command) -> Command:
    """Adds the options that describe a lab."""
    for option in reversed(_LAB_OPTIONS):
        command = option(command)
    return command


def traffic_options(command: Command) -> Command:
    """Adds the options that describe what is fired."""
    for option in reversed(_TRAFFIC_OPTIONS):
        command = option(command)
    return command


def prediction_options(command: Command) -> Command:
    """Adds the options that describe what is foretold."""
    for option in (_SEED, _PATH):
        command = option(command)
    return command


def offers_what_it_foretells_from(command: click.Command) -> click.Command:
    """Leaves what no pick depends on out of its help; it is still taken, so that the options of `run` can be reused."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name in _NOT_FORETOLD_FROM:
            parameter.hidden = True
    return command


def lab_config(options: dict[str, Any], traffic: TrafficSpec) -> LabConfig:
    """The lab that the options of `lab_options` describe.

    Raises:
        UsageError: it can't be.
    """
    weights: tuple[int, ...] | None = options["weights"]
    count = options["backends"]
    if count is None:
        count = len(weights) if weights else len(LabConfig().backends)
    if count < 1:
        raise UsageError(f"{count} backends can't be: give 1 or more.")
    fail_timeout = options["fail_timeout"]
    if not fail_timeout.is_integer():
        raise UsageError("nginx counts a fail timeout in whole seconds: give one like 10s.")
    if not 0 <= options["backups"] <= count:
        raise UsageError(f"{options['backups']} of {count} backends can't be backups: give 0 to {count - 1}.")
    specs = tuple(
        BackendSpec(
            is_backup=number >= count - options["backups"],
            max_fails=options["max_fails"],
            fail_timeout_seconds=int(fail_timeout),
        )
        for number in range(count)
    )
    config = LabConfig(
        algorithm=options["algorithm"],
        backends=specs,
        behaviour=Behaviour(options["service_time"] * 1000, options["capacity"]),
        port=options["port"],
        base_port=options["base_port"],
        nginx=options["nginx"],
        nginx_workers=options["nginx_workers"],
        restart=options["restart"],
        keep_root=options["keep_root"],
        faults=tuple(options.get("fault") or ()),
        retry_rules=options["next_upstream"],
        traffic=traffic,
    )
    return config.with_weights(weights) if weights else config


def run_traffic(options: dict[str, Any]) -> TrafficSpec:
    """What `lablb run` fires: a closed loop of 1,000 requests unless told otherwise.

    Raises:
        UsageError: it makes no sense.
    """
    spec = _traffic(options)
    if spec.requests is not None or spec.duration_seconds is not None:
        return spec
    return (
        replace(spec, requests=RUN_REQUESTS) if spec.ramp is None else replace(spec, duration_seconds=spec.ramp.seconds)
    )


def dashboard_traffic(options: dict[str, Any]) -> TrafficSpec:
    """What the dashboard fires: an open loop at 20 req/s unless told otherwise.

    Raises:
        UsageError: it makes no sense.
    """
    spec = _traffic(options)
    is_said = spec.rate_rps is not None or spec.connections is not None
    return spec if is_said else replace(spec, rate_rps=DASHBOARD_RATE_RPS)


def _traffic(options: dict[str, Any]) -> TrafficSpec:
    ramp: Ramp | None = options["ramp"]
    if ramp is not None and options["rate"] is not None:
        raise UsageError("A rate and a ramp contradict each other: give -q or --ramp.")
    return TrafficSpec(
        rate_rps=options["rate"] if ramp is None else ramp.from_rps,
        connections=options["connections"],
        requests=options["requests"],
        duration_seconds=options["duration"],
        timeout_seconds=options["timeout"],
        arrivals=Arrivals(options["arrivals"]),
        seed=options["seed"],
        ramp=ramp,
        request=RequestSpec(
            method=options["method"].upper(),
            paths=tuple(options["path"]) or ("/",),
            headers=tuple(options["header"]),
            body=options["body"],
            keeps_alive=not options["no_keepalive"],
        ),
    )


def config_file() -> Path:
    """Where a user keeps options, unless told otherwise."""
    return platformdirs.user_config_path("lablb") / "config.toml"


def file_defaults(path: Path | None, known: frozenset[str]) -> dict[str, Any]:
    """What the configuration file says, by option name; nothing if the user has none.

    Raises:
        UsageError: it can't be read, isn't TOML, or names an option that doesn't exist.
    """
    place = path or config_file()
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path is None:
            return {}
        raise UsageError(f"There is no configuration file {place}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The configuration file {place} can't be read: {error}.") from None
    values = {name.replace("-", "_"): value for name, value in content.items()}
    if unknown := sorted(set(values) - known):
        raise UsageError(f"The configuration file {place} has an unknown option {unknown[0]!r}: see lablb --help.")
    return values
