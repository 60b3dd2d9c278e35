"""The command `lablb`.

What only one of its commands needs is imported there: Textual takes 0.3 s, the rest 0.1 s.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import get_completion_class

from lab import __version__
from lab.commandline.interruption import ended_by_signals
from lab.commandline.lazy_group import LazyGroup
from lab.commandline.options import (
    config_file,
    dashboard_traffic,
    file_defaults,
    lab_config,
    lab_options,
    offers_what_it_foretells_from,
    prediction_options,
    run_traffic,
    traffic_options,
)
from lab.commandline.output import require_writable, say, show, write
from lab.config import LabConfig
from lab.errors import ExitCode, LabError, NotReadyError
from lab.inert import inert_line
from lab.machine import event_loop
from lab.machine.ports import choose_ports
from lab.machine.runtime import why_root_stays
from lab.machine.shortage import shortage
from lab.session import LabSession
from lab.traffic.plan import RequestSpec, TrafficSpec

if TYPE_CHECKING:
    from lab.commandline.report import Report

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""Every command's, as each takes over what its group has."""
EPILOG = """\b
Examples:
  lablb                                          the dashboard
  lablb --algorithm least_conn --service-time 50ms
  lablb run -n 1000 --format json                no dashboard, a report at the end
  lablb run -z 10s -q 200 --weights 5,1,1        ten seconds at 200 requests a second
  lablb compare --scenario one-slow              several algorithms on the same traffic
  lablb predict --weights 5,1,1 -n 7             whom nginx will pick, and why
  lablb simulate --backends 1000 --balancers 20  what one machine can't run
  lablb doctor                                   is this machine ready?
"""
RUN_EPILOG = """\b
Examples:
  lablb run -n 1000 --algorithm least_conn
  lablb run -z 10s -c 16 --format json -o report.json
  lablb run -z 30s -q 60 --backends 1 --service-time 50ms --capacity 1 --timeout 1s
  lablb run -z 8s -q 100 --fault kill:73@2s --fault slow:72:300ms@3s..6s
"""
CONFIG_EPILOG = """\b
Example:
  lablb config --algorithm hash_consistent --weights 3,1
"""
PREDICT_EPILOG = """\b
Examples:
  lablb predict --algorithm round_robin --weights 5,1,1 -n 7
  lablb predict --algorithm hash --path /a --path /b -n 2
"""
COMPLETION_EPILOG = """\b
Examples:
  bash   eval "$(lablb completion bash)"         in ~/.bashrc
  zsh    eval "$(lablb completion zsh)"          in ~/.zshrc
  fish   lablb completion fish > ~/.config/fish/completions/lablb.fish
"""


def _read_config_file(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Make what the file says the default of every command but `simulate`, which knows no lab."""
    known = frozenset(parameter.name for parameter in run.params if parameter.name) - {"output", "format_"}
    values = file_defaults(path, known)
    ctx.default_map = values | dict.fromkeys({*cli.list_commands(ctx)} - {"simulate"}, values)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings=HELP, epilog=EPILOG)
@click.version_option(__version__, prog_name="lablb")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    envvar="LABLB_CONFIG",
    is_eager=True,
    expose_value=False,
    callback=_read_config_file,
    help=f"A TOML file of option names and values.  [default: {config_file()}]",
)
@lab_options
@traffic_options
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """A load-balancing lab on one machine: watch a real nginx balance real requests over real backends.

    Without a command it starts the dashboard. A variable such as LABLB_ALGORITHM, or the configuration file, can set
    every option too.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_misplaced(ctx, options)
        return
    config = lab_config(options, dashboard_traffic(options))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotReadyError("The dashboard needs a terminal: use lablb run for a report without one.")
    from tui.app import LabApp, run_dashboard  # noqa: PLC0415

    async def show() -> LabError | None:
        app = LabApp(LabSession(config))
        with ended_by_signals(app.quit_soon):
            return await run_dashboard(app)

    if (error := event_loop.run(show())) is not None:
        raise error


@cli.command(epilog=RUN_EPILOG)
@lab_options
@traffic_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    envvar="LABLB_FORMAT",
    help="How to write the report.",
)
@click.option(
    "--output",
    "-o",
    envvar="LABLB_OUTPUT",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report to FILE.",
)
@click.pass_context
def run(ctx: click.Context, /, format_: str, output: Path | None, **options: Any) -> None:
    """Run the lab without its dashboard, and report.

    Progress goes to stderr, the report alone to stdout. Fires 1,000 requests, one after the other, unless told
    otherwise.
    """
    config = lab_config(options, run_traffic(options))
    if output is not None:
        require_writable(output)
    for notice in (choose_ports(config).notice, why_root_stays(keeps_root=config.keep_root)):
        if notice is not None:
            say(notice)
    report = asyncio.run(_run(config))
    text = {"text": report.as_text, "json": report.as_json, "csv": report.as_csv}[format_]()
    write(text, output)
    if report.is_interrupted:
        ctx.exit(ExitCode.INTERRUPTED)
    if report.traffic.answered == 0:
        raise LabError("No request was answered.")


@cli.command()
@lab_options
@click.pass_context
def doctor(ctx: click.Context, /, **options: Any) -> None:
    """Say what is missing or busy on this machine, and the remedy."""
    from lab.commandline.doctor import Verdict, examine  # noqa: PLC0415

    config = lab_config(options, LabConfig().traffic)

    async def look() -> bool:
        is_ready = True
        async for finding in examine(config):
            click.echo(inert_line(str(finding)))
            is_ready &= finding.verdict is not Verdict.BAD
        return is_ready

    if not asyncio.run(look()):
        ctx.exit(ExitCode.NOT_READY)


@cli.command("config", epilog=CONFIG_EPILOG)
@lab_options
def show_config(**options: Any) -> None:
    """Print the nginx files that the lab would write."""
    from lab.nginx.balancer import preview  # noqa: PLC0415

    config = lab_config(options, LabConfig().traffic)
    for name, text in asyncio.run(preview(config, choose_ports(config))).items():
        show(f"# ---- {name}\n{text}\n")


@offers_what_it_foretells_from
@cli.command(epilog=PREDICT_EPILOG)
@lab_options
@prediction_options
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many requests.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def predict(count: int, format_: str, seed: int | None, path: tuple[str, ...], **options: Any) -> None:
    """Foretell whom nginx will pick, and why: requests one after the other, from a fresh start on.

    It is a model of nginx, held to the real one by a test; lablb run fires the same requests at the real one.
    """
    from lab.commandline.predict import foretell  # noqa: PLC0415

    config = lab_config(options, TrafficSpec(request=RequestSpec(paths=path or ("/",))))
    forecast = foretell(config, choose_ports(config).backends, requests=count, seed=seed)
    if format_ == "json":
        show(forecast.as_json())
        for note in forecast.notes:
            say(note)
    else:
        show(forecast.as_text())


@cli.command(epilog=COMPLETION_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "lablb", "_LABLB_COMPLETE").source())


def main() -> None:
    """Run `lablb`: what a person can mend is told in one line on stderr, with the exit code that says its kind."""
    try:
        code = cli.main(prog_name="lablb", standalone_mode=False)
    except LabError as error:
        code = _complain(str(error), error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "lablb"
        message = " ".join(error.format_message().split())  # Click lists choices a line each
        code = _complain(f"{message} See {command} --help.", ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):  # Abort is a RuntimeError
        code = ExitCode.INTERRUPTED
    except (OSError, RuntimeError) as error:
        if (lack := shortage(error)) is None:
            raise
        code = _complain(f"The system has no room for the lab {lack}.", ExitCode.NOT_READY)
    sys.exit(code)


def _complain(sentence: str, code: ExitCode) -> ExitCode:
    say(sentence)
    return code


def _refuse_misplaced(ctx: click.Context, options: dict[str, Any]) -> None:
    """The group's options are the dashboard's: before another command's name they would be lost."""
    is_given = click.core.ParameterSource.COMMANDLINE
    given = [f"--{name.replace('_', '-')}" for name in options if ctx.get_parameter_source(name) is is_given]
    if given:
        raise click.UsageError(
            f"Write {', '.join(given)} behind the command: lablb {ctx.invoked_subcommand} {given[0]} …."
        )


async def _run(config: LabConfig) -> "Report":
    from lab.commandline.run import run_lab  # noqa: PLC0415

    interruption = asyncio.Event()
    with ended_by_signals(interruption.set):
        if not sys.stderr.isatty():
            return await run_lab(config, interruption)
        with click.progressbar(length=1000, label=config.algorithm, file=sys.stderr, show_pos=False) as bar:
            return await run_lab(config, interruption, _advance(bar))


def _advance(bar: Any) -> Callable[[float], None]:
    def advance(part: float) -> None:
        bar.update(round(part * bar.length) - bar.pos)

    return advance
