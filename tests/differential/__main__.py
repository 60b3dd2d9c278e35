"""`python -m tests.differential --seconds 600`: new seeds for as long as that, on each nginx of this machine."""

import argparse
import asyncio
import time
from itertools import count

from lab.errors import NotReadyError
from lab.nginx.binary import NginxBinary, find_nginx
from tests.differential.referee import ports_needed
from tests.differential.trial import hold_to_nginx
from tests.integration.facts import free_ports

SEEDS_A_BATCH = 60


async def main() -> None:
    """Batches of scenarios, on each nginx in turn, until the time is over or something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long [%(default)s]")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed [the time]")
    given = parser.parse_args()
    binaries = await _binaries()
    deadline = time.monotonic() + given.seconds
    requests = attempts = 0
    for batch in count():
        binary = binaries[batch % len(binaries)]
        seed = given.seed + batch * SEEDS_A_BATCH
        tally = await hold_to_nginx(binary, range(seed, seed + SEEDS_A_BATCH), free_ports(ports_needed()))
        requests += tally.requests
        attempts += tally.attempts
        print(
            f"nginx {binary.version_text}, seeds from {seed}: {tally.scenarios} scenarios agree, {tally.unsure} unsure;"
            f" {requests:,} requests and {attempts:,} attempts so far",
            flush=True,
        )
        if time.monotonic() > deadline:
            return


async def _binaries() -> list[NginxBinary]:
    found: list[NginxBinary] = []
    for choice in ("bundled", "system"):
        try:
            binary = await find_nginx(choice)
        except NotReadyError:
            continue
        if binary.version not in [each.version for each in found]:
            found.append(binary)
    assert found, "there is no nginx here"
    return found


asyncio.run(main())
