"""However the log is cut into batches, what is made of it is the same: looking at kinds of lines is fast, no more."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import BackendSpec
from lab.counts.tally import Tally
from lab.logs.access_log import LogLine
from lab.logs.batch import Batch
from lab.nginx.inference import Inference
from lab.nginx.reload_watch import Handover, ReloadWatch
from lab.nginx.render import Upstream
from lab.witnesses import Attempt
from lab.xray.shadow import BUSY_RPS, Shadow
from tests.unit.clock import FakeClock
from tests.unit.made_up import answered_by, log_line, refused_by

START = 1_721_000_000.0
UPSTREAMS = {
    number: Upstream("round_robin", ((71, BackendSpec(max_fails=2)), (72, BackendSpec()), (73, BackendSpec())))
    for number in (1, 2)
}
PLAIN: list[tuple[Attempt, ...]] = [(answered_by(port),) for port in (71, 72, 73)]
ATTEMPTS = [*PLAIN, (refused_by(71), answered_by(72)), (refused_by(72), refused_by(71)), ()]


@st.composite
def logs(draw: st.DrawFn) -> list[LogLine]:
    """Mostly plain lines, with stretches of others; nginx is reloaded, its worker replaced and its clock set back."""
    lines: list[LogLine] = []
    time, generation, worker_pid = START, 1, 1
    for _ in range(draw(st.integers(1, 8))):
        match draw(st.integers(0, 9)):
            case 0:
                generation = 2
            case 1:
                worker_pid += 1
            case 2:
                time -= 5
        choices = draw(st.sampled_from([PLAIN, ATTEMPTS]))
        for _ in range(draw(st.integers(1, 12))):
            time += draw(st.sampled_from([0.0, 0.001, 0.3, 4.0]))
            line = log_line()._replace(attempts=draw(st.sampled_from(choices)), time=time)
            lines.append(line._replace(generation=generation, worker_pid=worker_pid))
    return lines


def batches(lines: Sequence[LogLine], sizes: st.DataObject) -> list[Batch]:
    """The lines, cut somewhere."""
    cut = []
    while lines:
        size = sizes.draw(st.integers(1, len(lines)))
        cut.append(Batch(lines[:size]))
        lines = lines[size:]
    return cut


def told_by_tally(cut: Sequence[Batch]) -> Any:
    tally = Tally(FakeClock())
    for batch in cut:
        tally.count_lines(batch)
    return tally.totals()


def told_by_inference(cut: Sequence[Batch]) -> Any:
    inference = Inference(UPSTREAMS, workers=1)
    for batch in cut:
        inference.note_lines(batch)
    return [inference.beliefs(START + seconds) for seconds in range(0, 60, 5)]


def told_by_reload_watch(cut: Sequence[Batch]) -> Any:
    watch = ReloadWatch(FakeClock(), FakeClock(START))
    watch.begin(2, "a change")
    for batch in cut:
        watch.note_lines(batch)
    watch.finish(Handover(0.1, frozenset({1}), frozenset({2})))
    for batch in cut:
        watch.note_lines(batch)
    return watch.view()


def told_by_shadow(cut: Sequence[Batch]) -> Any:
    shadow = Shadow(UPSTREAMS, workers=1)
    for batch in cut:
        shadow.note_lines(batch)
    shadow.settle(START + 1_000_000)
    return shadow.view(START + 1_000_000)


WITNESSES: list[Callable[[Sequence[Batch]], Any]] = [
    told_by_tally,
    told_by_inference,
    told_by_reload_watch,
    told_by_shadow,
]


@given(lines=logs(), sizes=st.data())
@settings(max_examples=150)
def test_all_that_is_made_of_the_log_is_the_same_however_it_is_cut(lines: list[LogLine], sizes: st.DataObject) -> None:
    """As if each line came alone."""
    cut = batches(lines, sizes)
    for told in WITNESSES:
        assert told(cut) == told([Batch([line]) for line in lines])


def test_the_xray_rests_and_wakes_as_it_does_line_by_line() -> None:
    """Its hits and its record are the same after a second of too many requests and two of few."""
    per_second = (10, BUSY_RPS + 100, BUSY_RPS + 300, 20, 30)
    lines = [
        log_line(answered_by(71 + number % 3))._replace(time=START + second + number / count, worker_pid=1)
        for second, count in enumerate(per_second)
        for number in range(count)
    ]
    for size in (7, 100, 500, len(lines)):
        cut = [Batch(lines[start : start + size]) for start in range(0, len(lines), size)]
        assert told_by_shadow(cut) == told_by_shadow([Batch([line]) for line in lines])


def test_lines_of_a_kind_are_told_once() -> None:
    """With how many there are."""
    one, other = answered_by(71), answered_by(72)
    attempts = (one,)
    lines = [log_line()._replace(attempts=attempts) for _ in range(3)] + [log_line()._replace(attempts=(other,))]
    assert [(line.attempts, count) for line, count in Batch(lines).kinds] == [((one,), 3), ((other,), 1)]
