"""Counting from a change of nginx's configuration on."""

import asyncio
import os

import pytest

from lab.logs.batch import Batch
from lab.models import OldWorker, Reload
from lab.nginx.reload_watch import JUST_BEFORE_SECONDS, TELLING_SECONDS, Handover, ReloadWatch
from tests.unit.clock import FakeClock
from tests.unit.made_up import answered_by, log_line, outcome, refused_by

NOBODY = 2**22 + 1
"""A PID that no process has."""


def handover(before: set[int], after: set[int]) -> Handover:
    return Handover(0.08, frozenset(before), frozenset(after))


def shown(watch: ReloadWatch) -> Reload:
    reload = watch.view()
    assert reload is not None
    return reload


def test_before_the_first_change_there_is_nothing_to_show() -> None:
    """Requests alone are no reload."""
    watch = ReloadWatch(FakeClock(), FakeClock())
    watch.note_lines(Batch([log_line()]))
    watch.note_outcomes([outcome(error="refused", status=None)])
    assert watch.view() is None


def test_what_is_logged_and_fails_after_the_change_is_counted() -> None:
    """By old workers and new ones; what came before isn't, though it may be read later."""
    clock = FakeClock(1000.0004)
    watch = ReloadWatch(clock, clock)
    watch.begin(2, "least_conn")
    watch.note_lines(Batch([log_line(answered_by(71))._replace(time=999.999)]))
    watch.note_lines(Batch([log_line(answered_by(71))._replace(time=1000.0)]))
    watch.note_outcomes([outcome(1), outcome(2, status=None, error="reset"), outcome(3, status=502)])
    watch.finish(handover({10}, {10, 11}))
    watch.note_lines(Batch([log_line(refused_by(71), answered_by(72))._replace(time=1000.2, generation=2)]))
    watch.note_lines(Batch([log_line(answered_by(72))._replace(time=1000.1, generation=1)]))
    assert shown(watch) == Reload(
        generation=2,
        change="least_conn",
        time=1000.0004,
        seconds=0.08,
        old_pids=(10,),
        new_pids=(11,),
        finishing=(OldWorker(10),),
        finished_by_old=2,
        answered=3,
        failed=2,
        failed_meanwhile=2,
        hits=((71, 1), (72, 2)),
    )


def test_only_what_fails_while_the_old_workers_go_is_laid_at_the_changes_door() -> None:
    """What fails a second later has other causes, and so has what failed before as well."""
    clock = FakeClock(1000.0)
    watch = ReloadWatch(clock, clock)
    failure = [outcome(1, status=502)]
    watch.begin(2, "least_conn")
    watch.finish(handover({10}, {11}))
    clock.advance(TELLING_SECONDS)
    watch.note_outcomes(failure)
    clock.advance(0.2)
    watch.note_outcomes(failure)
    assert (shown(watch).failed, shown(watch).failed_meanwhile, shown(watch).was_failing) == (2, 1, False)
    clock.advance(1)
    watch.begin(3, "random")
    watch.note_outcomes(failure)
    watch.finish(handover({11}, {12}))
    assert (shown(watch).failed_meanwhile, shown(watch).was_failing) == (1, True)


def test_what_fails_for_other_clients_is_laid_at_the_changes_door_as_well() -> None:
    """As far as nginx has logged it since: an error, or half a body; not an answer, and not what came before."""
    clock = FakeClock(1000.0)
    watch = ReloadWatch(clock, clock)
    watch.begin(2, "least_conn")
    error, cut, fine = log_line(status=502), log_line()._replace(is_cut=True), log_line()
    told = [(error, -JUST_BEFORE_SECONDS), (fine, -1), (error, 0.1), (cut, 0.1), (fine, 0.1)]
    lines = [line._replace(time=1000.0 + after) for line, after in told]
    watch.note_lines(Batch(lines, lines))
    watch.finish(handover({10}, {11}))
    assert (shown(watch).failed, shown(watch).failed_meanwhile, shown(watch).was_failing) == (2, 2, False)


@pytest.mark.parametrize("is_finished", [False, True], ids=["before nginx has taken it on", "afterwards"])
def test_what_failed_for_other_clients_just_before_the_change_may_be_read_after_it(is_finished: bool) -> None:
    """nginx writes its log in blocks; what failed already is known all the same. The lab's own its client tells."""
    clock = FakeClock(1000.0)
    watch = ReloadWatch(clock, clock)
    watch.begin(2, "least_conn")
    if is_finished:
        watch.finish(handover({10}, {11}))
    line = log_line(status=502)._replace(time=999.9)
    watch.note_lines(Batch([line]))
    watch.note_lines(Batch([line], [line]))
    if not is_finished:
        watch.finish(handover({10}, {11}))
    assert (shown(watch).failed, shown(watch).was_failing) == (0, True)


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "forward"])
def test_setting_the_clock_changes_nothing_about_what_is_laid_at_the_changes_door(hours: int) -> None:
    """Between a failure and the change it still just preceded; between the change and a failure a minute later."""
    clock, wall = FakeClock(), FakeClock(100_000.0)
    watch = ReloadWatch(clock, wall)
    failure = [outcome(1, status=502)]
    watch.note_outcomes(failure)
    wall.advance(3600 * hours)
    watch.begin(2, "least_conn")
    watch.finish(handover({10}, {11}))
    wall.advance(3600 * hours)
    for passing in (clock, wall):
        passing.advance(60)
    watch.note_outcomes(failure)
    assert (shown(watch).failed, shown(watch).failed_meanwhile, shown(watch).was_failing) == (1, 0, True)
    assert shown(watch).time == 100_000.0 + 3600 * hours


def test_each_change_counts_anew_and_names_only_who_served_before_it() -> None:
    """A worker that was still finishing from the change before is shown as such and isn't an old worker twice."""
    watch = ReloadWatch(FakeClock(), FakeClock())
    watch.begin(2, "one")
    watch.finish(handover({10}, {10, 11}))
    watch.note_lines(Batch([log_line()._replace(time=1001.0, generation=2)]))
    watch.begin(3, "two")
    watch.finish(handover({10, 11}, {10, 11, 12}))
    reload = shown(watch)
    assert (reload.change, reload.answered, reload.old_pids, reload.new_pids) == ("two", 0, (11,), (12,))
    assert [worker.pid for worker in reload.finishing] == [10, 11]


def test_who_was_told_to_end_before_is_not_named_though_it_ended_meanwhile() -> None:
    """It ran when nginx was asked, and is seen to have gone before nginx has changed."""
    watch = ReloadWatch(FakeClock(), FakeClock())
    watch.begin(2, "least_conn")
    watch.finish(handover({NOBODY}, {NOBODY, 11}))
    watch.begin(3, "random")
    asyncio.run(watch.look(port=1))
    watch.finish(handover({NOBODY, 11}, {11, 12}))
    assert shown(watch).old_pids == (11,)


def test_a_change_that_nginx_refuses_leaves_the_one_before_it() -> None:
    """Which goes on counting meanwhile."""
    watch = ReloadWatch(FakeClock(), FakeClock())
    watch.begin(2, "taken")
    watch.finish(handover({10}, {11}))
    watch.begin(3, "refused")
    watch.note_lines(Batch([log_line()._replace(time=1001.0, generation=2)]))
    assert (shown(watch).change, shown(watch).answered) == ("taken", 1)


def test_old_workers_that_have_ended_are_shown_no_more() -> None:
    """Those that run are shown with the connections to nginx's port that they hold, here none."""
    watch = ReloadWatch(FakeClock(), FakeClock())
    watch.begin(2, "least_conn")
    watch.finish(handover({NOBODY, os.getpid()}, {NOBODY, os.getpid(), 1}))
    asyncio.run(watch.look(port=1))
    assert shown(watch).finishing == (OldWorker(os.getpid(), 0),)
