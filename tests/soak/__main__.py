"""`make soak`: what must hold, a hundred times over; one line an item, and exit code 1 if one doesn't.

`python -m tests.soak WORD…` does only the items whose names have one of the words.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from lab.config import BackendSpec, LabConfig
from lab.session import LabSession
from lab.traffic.plan import TrafficSpec
from tests.integration.conftest import Place
from tests.integration.facts import free_ports, lablb
from tests.soak import must_hold, terminal
from tests.soak.deaths import VICTIMS, Victim, die_alone
from tests.soak.must_hold import Count

SEED = 4
TIMES = 100
DEATHS = 20
TROUBLE_SECONDS = 60.0
RESIZES = 200
KEYS = 10_000
CAPACITY_SECONDS = 3

Deed = Callable[[LabSession, random.Random], Awaitable[Count]]
Item = Callable[[Place, random.Random], str]


def in_a_lab(
    deed: Deed, place: Place, rng: random.Random, *, rate_rps: float = 500, max_fails: int = 1, patience: float = 5
) -> str:
    """Do it in a lab of five backends under traffic, and say what was counted.

    Raises:
        AssertionError: a client noticed, or the counts disagree.
    """
    config = LabConfig(
        port=place.port,
        base_port=place.base_port,
        backends=(BackendSpec(max_fails=max_fails, fail_timeout_seconds=1),) * 5,
        traffic=TrafficSpec(rate_rps=rate_rps, timeout_seconds=patience),
    )

    async def run() -> Count:
        lab = LabSession(config)
        try:
            await lab.start()
            return await deed(lab, rng)
        finally:
            await lab.stop()

    count = asyncio.run(run())
    place.wait_until_empty()
    assert count.holds, str(count)
    return str(count)


def capacity_rps(place: Place) -> float:
    """What the client, nginx and five backends do here at most; a machine that does less than an item asks fails it."""
    options = ("-z", f"{CAPACITY_SECONDS}s", "-c", "16", "--format", "json", *place.port_options)
    answered: int = json.loads(lablb("run", *options).stdout)["requests"]["answered"]
    return answered / CAPACITY_SECONDS


def deaths(victim: Victim, place: Place, rng: random.Random) -> str:
    """The same death at other moments."""
    for _ in range(DEATHS):
        die_alone(victim, place, rng)
    return f"{DEATHS} deaths; nothing left, and the next lab starts"


ITEMS: dict[str, Item] = {
    f"{TIMES} algorithm switches at 2,000 req/s": partial(
        in_a_lab, partial(must_hold.switch, times=TIMES), rate_rps=2000
    ),
    f"{TIMES} × SIGKILL of a random backend": partial(in_a_lab, partial(must_hold.kill, times=TIMES)),
    f"{TIMES} × SIGKILL, none put aside": partial(in_a_lab, partial(must_hold.kill, times=TIMES), max_fails=0),
    f"freeze, thaw, slow, refuse for {TROUBLE_SECONDS:g} s": partial(
        in_a_lab, partial(must_hold.trouble, seconds=TROUBLE_SECONDS), rate_rps=200, patience=10
    ),
    f"weights, down, add, remove, {TIMES} times": partial(in_a_lab, partial(must_hold.reconfigure, times=TIMES)),
    **{f"SIGKILL of the {victim.name}": partial(deaths, victim) for victim in VICTIMS},
    f"{RESIZES} sizes of the terminal": partial(terminal.resize, times=RESIZES),
    f"{KEYS:,} random keys": partial(terminal.press_any_keys, times=KEYS),
}


@contextlib.contextmanager
def own_place() -> Iterator[Place]:
    """Folders and ports that no other lab has."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder, runtime = Path(name).resolve() / "here", Path(name).resolve() / "runtime"
        folder.mkdir()
        runtime.mkdir()
        os.environ.pop("XDG_RUNTIME_DIR", None)
        os.environ |= {"TMPDIR": str(runtime), "XDG_CONFIG_HOME": str(Path(name) / "config")}
        tempfile.tempdir = str(runtime)
        with contextlib.chdir(folder):
            port = free_ports(6)
            yield Place(folder, runtime, port, port + 1)


def main() -> int:
    """Do all items, or those that were asked for."""
    words = sys.argv[1:]
    violations = 0
    with own_place() as place:
        print(f"at most {capacity_rps(place):,.0f} req/s through nginx and five backends now", flush=True)
        for name, item in ITEMS.items():
            if words and not any(word in name for word in words):
                continue
            since = time.monotonic()
            try:
                verdict = f"✓ {item(place, random.Random(SEED))}"
            except AssertionError as violation:
                violations += 1
                verdict = f"✗ {violation}"
            print(f"{name:<40} {time.monotonic() - since:>6.0f} s  {verdict}", flush=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
