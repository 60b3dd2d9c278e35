"""Whether backends get what the algorithm promises: since when that is counted, what is expected, and what is said."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from lab.counts.fairness import FEWEST_EXPECTED
from lab.counts.noise import Finding, Noise, Outlier
from lab.counts.share_watch import LOOK_SECONDS, SETTLING_SECONDS, ShareWatch
from lab.models import BackendView, OldWorker, Reload
from lab.nginx.belief import Belief, Standing
from lab.states import BackendState

Backends = tuple[BackendView, ...]


class Watched:
    """A watch over a lab that a test describes, from its start on."""

    def __init__(self, algorithm: str = "round_robin", weights: tuple[int, ...] = (1, 1, 1)) -> None:
        self.now = 100.0
        self.algorithm = algorithm
        self.backends: Backends = tuple(
            BackendView(71 + place, BackendState.UP, weight=weight) for place, weight in enumerate(weights)
        )
        self.reload: Reload | None = None
        self.watch = ShareWatch(lambda: self.now)

    def change(self, port: int, **changes: object) -> None:
        """Something about a backend is otherwise from now on."""
        self.backends = tuple(
            replace(each, **changes) if each.port == port else each  # type: ignore[arg-type]
            for each in self.backends
        )

    def answer(self, *hits: int) -> None:
        """The backends have answered so many more."""
        self.backends = tuple(
            replace(each, hits=each.hits + more) for each, more in zip(self.backends, hits, strict=True)
        )

    def look(self, after_seconds: float = LOOK_SECONDS) -> Noise:
        """What is said after that time."""
        self.now += after_seconds
        return self.watch.look(self.algorithm, self.backends, self.reload)

    def settle(self) -> None:
        """Let the latest change be long ago."""
        self.look(0)
        self.look(SETTLING_SECONDS / 2)
        self.look(SETTLING_SECONDS)


def shares(noise: Noise) -> list[float]:
    return [share for _, share in noise.expected]


def test_shares_are_those_since_the_configuration_changed() -> None:
    """Those from before were of another rule, or of other backends; zeroed counters have none."""
    watched = Watched(weights=(1, 1))
    watched.settle()
    watched.answer(30, 10)
    assert watched.look().shares == ((71, 0.75), (72, 0.25))
    watched.change(71, weight=2)
    watched.reload = Reload(2, "weight of 71: 1 → 2", 0.0, 0.1, (), ())
    watched.settle()
    assert watched.look().shares == ()
    watched.answer(1, 0)
    assert watched.look().shares == ((71, 1.0), (72, 0.0))
    watched.watch.zero()
    assert watched.look().shares == ()


def test_shares_stay_while_only_a_backend_s_state_changes() -> None:
    """One that dies leaves the others theirs until there are requests without it."""
    watched = Watched(weights=(1, 1))
    watched.settle()
    watched.answer(30, 10)
    before = watched.look().shares
    watched.change(72, state=BackendState.KILLED)
    watched.settle()
    assert watched.look().shares == before
    watched.answer(4, 0)
    assert watched.look().shares == ((71, 1.0), (72, 0.0))


def test_weights_say_what_is_expected() -> None:
    """As long as all are up; before a request came, there is nothing to tell."""
    watched = Watched(weights=(5, 2, 1))
    noise = watched.look()
    assert noise.expected == ((71, 5 / 8), (72, 2 / 8), (73, 1 / 8))
    assert (noise.finding, noise.outlier, noise.jain) == (Finding.TOO_FEW, None, None)


@pytest.mark.parametrize(
    "out",
    [
        {"is_down": True},
        {"state": BackendState.KILLED},
        {"state": BackendState.FROZEN},
        {"belief": Belief(Standing.BENCHED, retry_at=7.0)},
        {"belief": Belief(Standing.DUE)},
        {"belief": Belief(Standing.TESTING)},
    ],
    ids=str,
)
def test_whoever_can_take_nothing_leaves_its_part_to_the_others(out: dict[str, object]) -> None:
    """In proportion to their weights."""
    watched = Watched(weights=(2, 4, 1))
    watched.change(72, **out)
    assert shares(watched.look()) == pytest.approx([2 / 3, 0, 1 / 3])


def test_a_backup_is_expected_to_get_requests_only_when_no_primary_can() -> None:
    """Then all of them."""
    watched = Watched()
    watched.change(73, is_backup=True, belief=Belief(Standing.SPARE))
    assert shares(watched.look()) == [0.5, 0.5, 0]
    watched.change(71, state=BackendState.KILLED)
    watched.change(72, state=BackendState.KILLED)
    assert shares(watched.look()) == [0, 0, 1]


@pytest.mark.parametrize("algorithm", ["least_conn", "least_time", "ip_hash", "hash", "hash_consistent"])
def test_nothing_is_expected_of_what_follows_load_or_keys(algorithm: str) -> None:
    """But how fair it was is known."""
    watched = Watched(algorithm)
    watched.settle()
    watched.answer(100, 100, 0)
    noise = watched.look()
    assert (noise.finding, noise.expected, noise.outlier) == (Finding.NOTHING_EXPECTED, (), None)
    assert noise.jain == pytest.approx(2 / 3)


def test_nothing_is_expected_where_nobody_can_take_a_request() -> None:
    """There is nobody to expect it of."""
    watched = Watched()
    for port in (71, 72, 73):
        watched.change(port, state=BackendState.KILLED)
    assert watched.look().finding is Finding.NOTHING_EXPECTED


def test_small_differences_are_chance_and_large_ones_name_the_outlier() -> None:
    """By chi-square, with the farthest backend's share and what was expected of it."""
    watched = Watched("random")
    watched.settle()
    watched.answer(104, 97, 99)
    noise = watched.look()
    assert noise.finding is Finding.CHANCE
    assert noise.p == pytest.approx(0.88, abs=0.01)
    watched.answer(96, 3, 101)
    noise = watched.look()
    assert noise.finding is Finding.NO_CHANCE
    assert noise.outlier == Outlier(72, 100 / 500, 1 / 3)


def test_a_hit_where_none_was_expected_is_no_chance() -> None:
    """However many others there are."""
    watched = Watched()
    watched.change(72, is_down=True)
    watched.settle()
    watched.answer(500, 1, 500)
    noise = watched.look()
    assert noise.finding is Finding.NO_CHANCE
    assert noise.outlier == Outlier(72, 1 / 1001, 0)


def test_a_few_requests_tell_nothing() -> None:
    """Below five expected of anybody."""
    watched = Watched()
    watched.settle()
    watched.answer(9, 2, 1)
    assert watched.look().finding is Finding.TOO_FEW


@pytest.mark.parametrize(
    "change",
    [
        lambda watched: setattr(watched, "algorithm", "random"),
        lambda watched: watched.change(71, is_down=True),
        lambda watched: watched.change(71, state=BackendState.KILLED),
        lambda watched: watched.change(71, service_time_ms=300.0),
        lambda watched: watched.change(71, fault="errors 500"),
        lambda watched: setattr(watched, "reload", Reload(2, "weights", 0.0, 0.0, (), ())),
        lambda watched: watched.watch.zero(),
    ],
    ids=["algorithm", "down", "killed", "slowed", "fault", "configuration", "zeroed"],
)
def test_each_change_counts_anew(change: object) -> None:
    """What was before, and what was under way when it came, says nothing of what is now."""
    watched = Watched()
    watched.settle()
    watched.answer(500, 0, 0)
    assert watched.look().finding is Finding.NO_CHANCE
    assert callable(change)
    change(watched)
    assert watched.look(0.2).finding is Finding.TOO_FEW
    watched.answer(50, 50, 50)
    watched.look(SETTLING_SECONDS / 2)
    watched.look(SETTLING_SECONDS)
    assert watched.look().finding is Finding.TOO_FEW, "nothing came since the change has settled"
    watched.answer(0, 100, 100)
    assert watched.look().jain is not None


def test_as_long_as_old_workers_finish_nothing_is_counted() -> None:
    """Their requests were picked by the configuration before."""
    watched = Watched(weights=(1, 1))
    watched.reload = Reload(2, "weights", 0.0, 0.0, (4711,), (4712,), finishing=(OldWorker(4711),))
    watched.settle()
    watched.answer(500, 0)
    assert watched.look().finding is Finding.TOO_FEW
    watched.reload = replace(watched.reload, finishing=())
    watched.answer(100, 100)
    assert watched.look().finding is Finding.CHANCE, "it counts from where it last saw an old worker"


def test_what_is_under_way_was_picked_already() -> None:
    """Or a slow backend would seem to be behind under round robin."""
    watched = Watched()
    watched.settle()
    watched.answer(60, 60, 20)
    watched.change(73, in_flight=40)
    assert watched.look().finding is Finding.CHANCE


def test_a_verdict_lasts_a_second_at_least_and_does_not_waver() -> None:
    """Five snapshots a second bring no flicker; once it is no chance, p has to rise well above the limit."""
    watched = Watched("random", weights=(1, 1))
    watched.settle()
    watched.answer(250, 150)
    assert watched.look().finding is Finding.NO_CHANCE
    watched.answer(0, 100)
    assert watched.look(LOOK_SECONDS / 5).finding is Finding.NO_CHANCE, "not looked at again yet"
    assert watched.look().finding is Finding.CHANCE
    watched.answer(110, 0)
    assert watched.look().finding is Finding.NO_CHANCE
    watched.answer(0, 12)
    wavering = watched.look()
    assert wavering.p == pytest.approx(0.000085, abs=0.000005)
    assert wavering.finding is Finding.NO_CHANCE


def test_counters_that_were_zeroed_unheard_bring_no_negative_hits() -> None:
    """Nor an exception."""
    watched = Watched()
    watched.answer(500, 500, 500)
    watched.settle()
    watched.answer(-400, -400, -400)
    assert watched.look().finding is Finding.TOO_FEW


def least_likely(rng: Random, seconds: int = 1800, rate: int = 20, backends: int = 5) -> tuple[int, ...]:
    """The hits of a fair half-hour at the one look of all that is least like chance, by chi-square."""
    picks = rng.choices(range(backends), k=seconds * rate)
    hits, worst, found = [0] * backends, 0.0, (0,) * backends
    for second in range(seconds):
        for place in picks[second * rate : (second + 1) * rate]:
            hits[place] += 1
        total = (second + 1) * rate
        chi_square = sum(hit * hit for hit in hits) * backends / total - total
        if chi_square > worst and total >= FEWEST_EXPECTED * backends:
            worst, found = chi_square, tuple(hits)
    return found


def test_chance_is_seldom_taken_for_more_however_often_one_looks() -> None:
    """Of two hundred half-hours of five equal backends, looked at each second, about one in a hundred."""
    rng = Random(5)
    findings = Counter[Finding]()
    for _ in range(200):
        watched = Watched("random", weights=(1, 1, 1, 1, 1))
        watched.settle()
        watched.answer(*least_likely(rng))
        findings[watched.look().finding] += 1
    assert findings[Finding.CHANCE] >= 196
    assert findings[Finding.NO_CHANCE] <= 1


def test_a_real_deviation_is_found_soon_all_the_same() -> None:
    """A backend that gets half of what it should, at 20 requests a second: in two minutes, and surely in five."""
    rng = Random(5)
    watched = Watched("random", weights=(1, 1, 1, 1, 1))
    watched.settle()
    found: dict[Finding, int] = {}
    for second in range(300):
        picks = Counter(rng.choices(range(5), weights=(2, 2, 2, 2, 1), k=20))
        watched.answer(*(picks[place] for place in range(5)))
        found.setdefault(watched.look().finding, second)
    assert found[Finding.HARDLY_CHANCE] < 120
    assert found[Finding.NO_CHANCE] < 300
