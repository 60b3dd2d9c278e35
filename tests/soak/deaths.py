"""One process of a running lab is killed, and then the lab ends: nothing may be left, and the next one has to start."""

import contextlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from tests.integration.conftest import Place
from tests.integration.facts import lablb, lablb_running, only_one, running, wait_until

MOST_SECONDS = 1.0
"""How far into the traffic the death may come."""
RUN = ("run", "-z", "60s", "-q", "200", "--backends", "3", "--format", "json")


@dataclass(frozen=True, slots=True)
class Victim:
    """A process of a lab: `find` picks it among those that run in the place of the lab of that PID."""

    name: str
    find: Callable[[Place, int, random.Random], psutil.Process]


def _master(place: Place) -> psutil.Process:
    """nginx's master, whoever its parent is by now."""
    guardian = only_one(running("lab.machine.guardian", place.folder))
    return only_one(guardian.children())


VICTIMS = (
    Victim("lab", lambda place, lab_pid, rng: psutil.Process(lab_pid)),
    Victim("guardian", lambda place, lab_pid, rng: only_one(running("lab.machine.guardian", place.folder))),
    Victim("nginx master", lambda place, lab_pid, rng: _master(place)),
    Victim("nginx worker", lambda place, lab_pid, rng: only_one(_master(place).children())),
    Victim("client", lambda place, lab_pid, rng: only_one(running("lab.traffic.worker", place.folder))),
    Victim("backend", lambda place, lab_pid, rng: rng.choice(running("lab.backend", place.folder))),
)


def die_alone(victim: Victim, place: Place, rng: random.Random) -> None:
    """Kill it under traffic, end the lab, and start the next one.

    Raises:
        AssertionError: something of the lab stayed, or the next one doesn't run.
    """
    with lablb_running(*RUN, *place.port_options) as lab:
        wait_until(lambda: place.is_traffic_flowing() or lab.poll() is not None, what="traffic")
        assert lab.poll() is None, f"the lab ended by itself: {lab.communicate()}"
        time.sleep(rng.uniform(0, MOST_SECONDS))  # a moment by chance is what is wanted
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.find(place, lab.pid, rng).kill()
        time.sleep(rng.uniform(0, MOST_SECONDS))  # so that the lab is caught at any stage of coping
        lab.terminate()
        _, complaint = lab.communicate(timeout=20)
    assert "Traceback" not in complaint, complaint
    place.wait_until_empty()
    done = lablb("run", "-n", 20, "--backends", 3, "--format", "json", *place.port_options)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["requests"]["answered"], report["ledger"]["balanced"]) == (20, True), report
    place.wait_until_empty()
