"""What is missing or busy on this machine, and the remedy."""

import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import Enum

from lab.algorithms import ALGORITHMS
from lab.config import LabConfig
from lab.errors import LabError, NotReadyError
from lab.machine.ports import choose_ports, obstacles
from lab.machine.runtime import RuntimeFolder, base_folder, why_root_stays
from lab.nginx.balancer import missing
from lab.nginx.binary import BUNDLED, SYSTEM, NginxBinary, find_nginx

SMALLEST_TERMINAL = (80, 24)


class Verdict(Enum):
    """How serious a finding is."""

    GOOD = "✓"
    NOTE = "·"
    """Worth knowing; the lab runs all the same."""
    BAD = "✗"
    """The lab won't run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.verdict.value} {self.text}"


async def examine(config: LabConfig) -> AsyncIterator[Finding]:
    """Look at all that the lab of this configuration needs."""
    yield Finding(Verdict.GOOD, f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    async for finding in _nginx(config.nginx):
        yield finding
    for finding in (*_ports(config), *_folder(keeps_root=config.keep_root), *_terminal()):
        yield finding


async def _nginx(wanted: str) -> AsyncIterator[Finding]:
    for choice in dict.fromkeys((wanted, BUNDLED, SYSTEM)):
        try:
            binary = await find_nginx(choice)
        except NotReadyError as error:
            yield Finding(Verdict.BAD if choice == wanted else Verdict.NOTE, f"nginx ({choice}): {error}")
        else:
            yield Finding(Verdict.GOOD, f"nginx {binary.version_text} ({choice}): {binary.path}{_lacks(binary)}")


def _lacks(binary: NginxBinary) -> str:
    lacking = [algorithm.name for algorithm in ALGORITHMS if missing(binary, algorithm.name)]
    return f", without {', '.join(lacking)}" if lacking else ""


def _ports(config: LabConfig) -> Iterator[Finding]:
    try:
        ports = choose_ports(config)
    except LabError as error:
        yield Finding(Verdict.BAD, str(error))
        return
    busy = [Finding(Verdict.BAD, sentence) for sentence in obstacles(ports)]
    if busy:
        yield from busy
        return
    if ports.notice is not None:
        yield Finding(Verdict.NOTE, ports.notice)
    yield Finding(Verdict.GOOD, f"ports {ports.nginx} and {ports.backends[0]}-{ports.backends[-1]} are free")


def _folder(*, keeps_root: bool) -> Iterator[Finding]:
    try:
        RuntimeFolder.create(keeps_root=keeps_root).remove()
    except NotReadyError as error:
        yield Finding(Verdict.BAD, str(error))
    else:
        yield Finding(Verdict.GOOD, f"runtime files go to {base_folder(keeps_root=keeps_root)}")
        if (notice := why_root_stays(keeps_root=keeps_root)) is not None:
            yield Finding(Verdict.NOTE, notice)


def _terminal() -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding(Verdict.NOTE, "no terminal here: the dashboard needs one, lablb run doesn't")
        return
    size = shutil.get_terminal_size()
    smallest = "{} × {}".format(*SMALLEST_TERMINAL)
    if size < SMALLEST_TERMINAL:
        yield Finding(
            Verdict.NOTE, f"the terminal has {size.columns} × {size.lines}: the dashboard wants {smallest} or more"
        )
    else:
        yield Finding(Verdict.GOOD, f"the terminal has {size.columns} × {size.lines}")
    if "NO_COLOR" in os.environ:
        yield Finding(Verdict.NOTE, "NO_COLOR is set: no colours")
