"""What a lab may be asked to be, and what it may not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.backends.behaviour import Behaviour
from lab.config import BackendSpec, LabConfig
from lab.errors import ExitCode, LabError, NginxRefusedError, NotReadyError, UsageError
from lab.machine.loopback import MAX_PORT
from lab.traffic.plan import RequestSpec, TrafficSpec

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: TrafficSpec(rate_rps=0), "rate of 0"),
    (lambda: TrafficSpec(rate_rps=-5), "rate of -5"),
    (lambda: TrafficSpec(rate_rps=float("nan")), "rate of nan"),
    (lambda: TrafficSpec(rate_rps=float("inf")), "rate of inf"),
    (lambda: TrafficSpec(connections=0), "connections of 0"),
    (lambda: TrafficSpec(connections=10_001), "10,001 connections"),
    (lambda: TrafficSpec(requests=0), "requests of 0"),
    (lambda: TrafficSpec(requests=-1), "requests of -1"),
    (lambda: TrafficSpec(duration_seconds=0), "duration of 0"),
    (lambda: TrafficSpec(timeout_seconds=0), "timeout of 0"),
    (lambda: RequestSpec(method="CONNECT"), "CONNECT asks a proxy for a tunnel"),
    (lambda: RequestSpec(paths=("/" + "a" * 8_000,)), "8,001 characters is more than nginx reads: give up to 8,000"),
    (lambda: RequestSpec(body="caf\udce9"), "body isn't valid text: give it in UTF-8"),
    (lambda: Behaviour(service_time_ms=-1), "service time of -1 ms"),
    (lambda: Behaviour(service_time_ms=float("nan")), "service time of nan"),
    (lambda: Behaviour(capacity=0), "capacity of 0"),
    (lambda: BackendSpec(weight=0), "weight of 0"),
    (lambda: BackendSpec(weight=1001), "weight of 1001"),
    (lambda: BackendSpec(max_fails=-1), "max_fails of -1"),
    (lambda: BackendSpec(fail_timeout_seconds=0), "fail timeout of 0 s"),
    (lambda: LabConfig(algorithm="fastest"), "no algorithm 'fastest': choose one of round_robin, least_conn"),
    (lambda: LabConfig(backends=()), "needs backends"),
    (lambda: LabConfig(backends=(BackendSpec(is_backup=True),) * 2), "no backup"),
    (lambda: LabConfig("hash", (BackendSpec(), BackendSpec(is_backup=True))), "nginx refuses backups with hash:"),
    (lambda: LabConfig(nginx_workers=0), "0 nginx workers"),
    (lambda: LabConfig(nginx_workers=65), "65 nginx workers"),
    (lambda: LabConfig(port=0), "no port 0"),
    (lambda: LabConfig(port=65536), "no port 65536"),
    (lambda: LabConfig(base_port=-1), "no port -1"),
    (lambda: LabConfig(base_port=65535), "would need port 65539"),
    (lambda: LabConfig(port=73), "port 73 lies among the backends' ports 71-75"),
    (lambda: LabConfig(base_port=70), "port 70 lies among the backends' ports 70-74"),
    (lambda: LabConfig(base_port=66), "port 70 lies among the backends' ports 66-70"),
    (lambda: LabConfig().with_weights((5, 1)), "2 weights don't fit 5 backends"),
    (lambda: LabConfig().with_weights((5, 1, 1, 1, 0)), "weight of 0"),
]


@pytest.mark.parametrize(("build", "part"), REFUSED, ids=[part for _, part in REFUSED])
def test_what_makes_no_sense_is_refused_in_one_sentence(build: Callable[[], object], part: str) -> None:
    """Each bad value is a usage error that names the value and ends like a sentence, on one line."""
    with pytest.raises(UsageError) as refusal:
        build()
    sentence = str(refusal.value)
    assert part in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_the_default_lab_is_the_articles() -> None:
    """Five backends of equal weight at 71 to 75, nginx at 70, round robin, the bundled nginx with one worker."""
    config = LabConfig()
    assert config.preferred_ports == (70, 71)
    assert [spec.weight for spec in config.backends] == [1, 1, 1, 1, 1]
    assert (config.algorithm, config.nginx, config.nginx_workers) == ("round_robin", "bundled", 1)


def test_weights_are_given_to_the_backends_in_their_order() -> None:
    """with_weights changes weights and nothing else."""
    config = LabConfig(backends=(BackendSpec(), BackendSpec(is_down=True))).with_weights((5, 2))
    assert config.backends == (BackendSpec(weight=5), BackendSpec(weight=2, is_down=True))


ports = st.one_of(st.none(), st.integers(-10, MAX_PORT + 10))


@given(port=ports, base_port=ports, count=st.integers(1, 80))
def test_a_lab_that_is_accepted_has_distinct_ports_that_exist(
    port: int | None, base_port: int | None, count: int
) -> None:
    """Whatever ports are asked for, the lab either refuses or gets one of its own for each process."""
    try:
        config = LabConfig(port=port, base_port=base_port, backends=(BackendSpec(),) * count)
    except UsageError:
        wanted = [70 if port is None else port, *range(first := 71 if base_port is None else base_port, first + count)]
        assert len(set(wanted)) < len(wanted) or not all(1 <= each <= MAX_PORT for each in wanted)
        return
    nginx, first = config.preferred_ports
    every = [nginx, *range(first, first + count)]
    assert len(set(every)) == len(every)
    assert all(1 <= each <= MAX_PORT for each in every)


@given(timeout=st.floats(5.1, 100), service_time_ms=st.floats(0, 1000))
def test_nginx_gives_up_on_a_silent_backend_before_the_client_does(timeout: float, service_time_ms: float) -> None:
    """With a client of ordinary patience, nginx has time to try another backend and never cuts off a slow one."""
    config = LabConfig(behaviour=Behaviour(service_time_ms), traffic=TrafficSpec(timeout_seconds=timeout))
    assert service_time_ms < config.read_timeout_ms < timeout * 1000


def test_each_kind_of_error_has_its_exit_code() -> None:
    """The exit codes are the contract's: 1 failed, 2 usage, 3 not ready."""
    assert LabError.exit_code == NginxRefusedError.exit_code == 1
    assert UsageError.exit_code == 2
    assert NotReadyError.exit_code == 3
    assert (ExitCode.DONE, ExitCode.INTERRUPTED) == (0, 130)
