"""However a lab ends, within three seconds no process, port or file of it is left."""

import json
import os
import signal
import sys
from pathlib import Path
from subprocess import Popen

import pytest

from tests.integration.conftest import Place
from tests.integration.facts import (
    HOST,
    ask,
    commands_in,
    lablb,
    lablb_running,
    listening,
    only_one,
    processes_in,
    running,
    wait_until,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")

LONG_RUN = ("run", "-z", "60s", "-c", "4", "--backends", "3", "--format", "json")


def wait_for_traffic(lab: Popen[str], place: Place) -> None:
    """Until the lab is in the middle of its run."""

    def is_flowing() -> bool:
        assert lab.poll() is None, f"the lab ended by itself with code {lab.returncode}"
        return place.is_traffic_flowing()

    wait_until(is_flowing, what="traffic")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_run_with_a_report_and_130(place: Place, name: str) -> None:
    """What was measured until then is reported, and says that it was interrupted."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        lab.send_signal(getattr(signal, name))
        out, err = lab.communicate(timeout=20)
    assert lab.returncode == 130
    assert err == ""
    report = json.loads(out)
    assert report["interrupted"] is True
    assert report["requests"]["answered"] > 0
    assert report["requests"]["failed"] == 0
    assert report["ledger"]["balanced"] is True
    place.wait_until_empty()


def test_an_interrupted_run_waits_for_what_is_under_way(place: Place) -> None:
    """Whatever was sent was answered or has failed; it doesn't vanish between the counts."""
    slow = ("--service-time", "400ms")
    with lablb_running(*LONG_RUN, *slow, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        lab.send_signal(signal.SIGINT)
        out, _ = lab.communicate(timeout=20)
    report = json.loads(out)
    assert report["requests"]["sent"] == report["requests"]["answered"] > 0
    assert report["ledger"]["balanced"] is True


@pytest.mark.parametrize("is_client_frozen", [False, True])
def test_an_interrupted_run_counts_what_it_cant_wait_for_as_failed(place: Place, is_client_frozen: bool) -> None:
    """Under a patience longer than a person's, or when the client itself hears nothing any more: the lab ends it."""
    patient = ("run", "-z", "60s", "-q", "20", "--timeout", "50s", "--backends", "2", "--format", "json")
    with lablb_running(*patient, "--fault", f"silence:{place.base_port}@0s", *place.port_options) as lab:
        wait_for_traffic(lab, place)
        log = only_folder(place) / "access.log"
        wait_until(lambda: log.read_bytes().count(b"\n") > 10, what="answers, and as many requests without one")
        if is_client_frozen:
            only_one(running("lab.traffic.worker", place.folder)).suspend()
        lab.send_signal(signal.SIGINT)
        out, err = lab.communicate(timeout=30)
    assert (lab.returncode, err) == (130, "")
    report = json.loads(out)
    requests = report["requests"]
    assert requests["sent"] == requests["answered"] + requests["failed"]
    assert set(requests["errors"]) <= {"unfinished", "unsent"}
    assert requests["errors"]["unfinished"] > 0
    assert report["notices"] == []
    assert report["ledger"]["balanced"] is True
    place.wait_until_empty()


def test_two_signals_end_it_no_worse_than_one(place: Place) -> None:
    """Ctrl-C pressed twice, as people do."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        lab.send_signal(signal.SIGINT)
        lab.send_signal(signal.SIGINT)
        _, err = lab.communicate(timeout=20)
    assert lab.returncode == 130
    assert "Traceback" not in err
    place.wait_until_empty()


def test_a_signal_while_the_lab_starts_ends_it_too(place: Place) -> None:
    """As soon as it has processes it can be interrupted."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_until(lambda: running("lab.machine.guardian", place.folder), what="the first process of the lab")
        lab.send_signal(signal.SIGINT)
        _, err = lab.communicate(timeout=20)
    assert lab.returncode == 130
    assert "Traceback" not in err
    place.wait_until_empty()


def freeze_a_backend(place: Place) -> None:
    """One that is stopped can't notice that the lab is gone."""
    running("lab.backend", place.folder)[0].suspend()


@pytest.mark.parametrize("frozen", [None, "lab.backend", "lab.traffic.worker"])
def test_a_lab_that_is_killed_leaves_nothing(place: Place, frozen: str | None) -> None:
    """SIGKILL in the middle of traffic; a child that is stopped can't notice that the lab is gone."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        if frozen is not None:
            running(frozen, place.folder)[0].suspend()
        lab.kill()
        place.wait_until_empty()


@pytest.mark.parametrize("is_one_frozen", [False, True], ids=["all awake", "one frozen"])
def test_after_a_kill_the_next_lab_runs_at_once(place: Place, is_one_frozen: bool) -> None:
    """On the same ports, without a pause: what is left of the first lab is waited for and cleared away."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        if is_one_frozen:
            freeze_a_backend(place)
        lab.kill()
        done = lablb("run", "-n", 100, "--format", "json", *place.port_options)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["requests"]["answered"], report["requests"]["failed"]) == (100, 0)
    assert report["ledger"]["balanced"] is True
    assert report["ledger"]["other_clients"] == 0
    place.wait_until_empty()


def test_after_lab_and_guardian_are_killed_the_next_start_sweeps(place: Place) -> None:
    """Nobody is left to end nginx, which goes on holding its port, until the next lab comes."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        guardian = only_one(running("lab.machine.guardian", place.folder))
        guardian.kill()
        lab.kill()
    done = lablb("run", "-n", 20, "--format", "json", *place.port_options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["requests"]["answered"] == 20
    place.wait_until_empty()


def test_a_frozen_backend_of_a_lab_killed_with_its_guardian_is_swept_too(place: Place) -> None:
    """It would hold its port until somebody found it by hand."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        freeze_a_backend(place)
        guardian = only_one(running("lab.machine.guardian", place.folder))
        guardian.kill()
        lab.kill()
    done = lablb("run", "-n", 20, "--format", "json", *place.port_options)
    assert done.returncode == 0, done.stdout + done.stderr
    place.wait_until_empty()


def test_a_lab_whose_guardian_is_killed_still_leaves_nothing(place: Place) -> None:
    """However it takes the loss, nginx doesn't outlive it."""
    with lablb_running("run", "-z", "2s", *place.port_options) as lab:
        wait_for_traffic(lab, place)
        only_one(running("lab.machine.guardian", place.folder)).kill()
        lab.communicate(timeout=20)
    place.wait_until_empty()


def test_a_lab_whose_client_is_killed_fails_with_a_sentence(place: Place) -> None:
    """Exit code 1, no traceback, nothing left."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        only_one(running("lab.traffic.worker", place.folder)).kill()
        _, err = lab.communicate(timeout=20)
    assert lab.returncode == 1
    assert err == "lablb: The lab's client ended before its time: died (signal 9).\n"
    assert err.count("\n") == 1
    place.wait_until_empty()


def test_a_run_whose_nginx_is_killed_fails_with_a_sentence(place: Place) -> None:
    """Thousands of refused requests are no report."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        master = only_one([p for p, command in commands_in(place.folder) if "nginx: master" in " ".join(command)])
        master.kill()
        out, err = lab.communicate(timeout=20)
    assert (lab.returncode, out) == (1, "")
    assert err.startswith("lablb: nginx died in the middle of the run")
    assert err.count("\n") == 1
    place.wait_until_empty()


def test_a_backend_that_is_killed_from_outside_fails_no_request(place: Place) -> None:
    """nginx asks the others, and the report says what became of it."""
    with lablb_running("run", "-z", "2s", "-c", "4", "--backends", "3", "--format", "json", *place.port_options) as lab:
        wait_for_traffic(lab, place)
        running("lab.backend", place.folder)[0].kill()
        out, err = lab.communicate(timeout=20)
    assert (lab.returncode, err) == (0, "")
    report = json.loads(out)
    assert (report["requests"]["failed"], report["requests"]["errors"]) == (0, {})
    assert sorted(backend["state"] for backend in report["backends"]) == ["exited", "up", "up"]
    assert report["ledger"]["balanced"] is True


def test_while_it_runs_a_lab_listens_on_the_loopback_interface_and_keeps_to_its_folder(place: Place) -> None:
    """All its sockets are at 127.0.0.1, its folder is closed to others, and anybody may ask its nginx."""
    with lablb_running(*LONG_RUN, *place.port_options) as lab:
        wait_for_traffic(lab, place)
        assert listening(processes_in(place.folder)) == {(HOST, port) for port in place.ports[:4]}
        folder = only_folder(place)
        assert folder.stat().st_mode & 0o067 == 0  # root's lets nginx's workers pass, whose group it has
        assert ask(place.port).status == 200
        lab.send_signal(signal.SIGTERM)
        out, _ = lab.communicate(timeout=20)
    assert json.loads(out)["ledger"]["other_clients"] == 1
    assert os.listdir(place.runtime) == []  # noqa: PTH208 - every name counts, whatever it is


def only_folder(place: Place) -> Path:
    (folder,) = place.runtime_folders
    return folder
