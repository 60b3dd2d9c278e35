"""Counters and rolling windows: events in, figures out. The clock is passed in; no process or file is touched."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lab.counts.counts import Counts, Latencies
from lab.counts.histogram import Histogram
from lab.counts.latency import LatencySeries, LatencySummary, SecondView
from lab.logs.batch import Batch
from lab.traffic.outcome import Outcome

RATE_SECONDS = 3
LATENCY_SECONDS = 10
CHART_SECONDS = 60


class Tally:
    """What was counted since the counters were zeroed, and second by second over the last minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._past = Counts()
        """Of all seconds but the latest."""
        self._seconds: deque[tuple[int, Counts]] = deque()
        self._window: tuple[int, Latencies] = (-1, {})
        """The recent latencies of the seconds that are full, as of which second."""
        self._recent: tuple[LatencySummary, dict[int | None, LatencySummary]] | None = None
        """The answer of `recent_latencies`, until a second has passed."""
        self._rates: tuple[int, dict[int, float]] = (-1, {})
        """The answer of `hit_rates_rps`, and of which second."""
        self._views: dict[tuple[int, int | None], SecondView] = {}
        """Of seconds that are over, by second and port (None for all)."""

    def count_lines(self, batch: Batch) -> None:
        """Count what nginx logged."""
        self._this_second().count_lines(batch)

    def count_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count what the lab's client saw."""
        self._this_second().count_outcomes(outcomes)
        if self._recent is not None and not self._recent[0].count:
            self._recent = None  # the first answer is shown at once

    def totals(self) -> Counts:
        """Everything since the counters were zeroed."""
        totals = Counts()
        for part in self._parts:
            totals.add(part)
        return totals

    def numbers(self) -> Counts:
        """The same without the latencies, whose histograms take longest to put together."""
        numbers = Counts()
        for part in self._parts:
            numbers.add_numbers(part)
        return numbers

    def zero(self) -> None:
        """Begin anew."""
        self._past = Counts()
        self._started = self._clock()
        self._seconds.clear()
        self._window = (-1, {})
        self._recent = None
        self._rates = (-1, {})
        self._views.clear()

    def disown(self, port: int) -> None:
        """A new backend has this port: what was counted of an earlier one isn't its own."""
        for counts in (self._past, *(counts for _, counts in self._seconds)):
            counts.disown(port)
        self._window = (-1, {})
        self._recent = None
        self._rates = (-1, {})
        self._views = {key: view for key, view in self._views.items() if key[1] != port}

    def hit_rates_rps(self) -> dict[int, float]:
        """Hits per second by backend port, over the last few full seconds."""
        now = int(self._clock())
        if self._rates[0] != now:
            hits: Counter[int] = Counter()
            for counts in self._last_full_seconds(RATE_SECONDS):
                hits.update(counts.hits)
            span = self._rate_span()
            self._rates = (now, {port: count / span for port, count in hits.items()})
        return self._rates[1]

    def answer_rate_rps(self) -> float:
        """The lab's client's answers per second, over the last few full seconds."""
        return sum(counts.answered for counts in self._last_full_seconds(RATE_SECONDS)) / self._rate_span()

    def recent_latencies(self) -> tuple[LatencySummary, dict[int | None, LatencySummary]]:
        """Over the last 10 s, as of this second: of all requests, and by the port of the backend that answered."""
        now = int(self._clock())
        if self._window[0] == now and self._recent is not None:
            return self._recent
        if self._window[0] != now:
            full = self._last_full_seconds(LATENCY_SECONDS - 1)
            self._window = (now, _together(counts.latencies for counts in full))
        current = (counts.latencies for second, counts in self._seconds if second == now)
        by_port = _together((self._window[1], *current))
        whole = Histogram.of(by_port.values()).summary()
        self._recent = whole, {port: histogram.summary() for port, histogram in by_port.items()}
        return self._recent

    def total_latencies(self) -> tuple[LatencySummary, dict[int | None, LatencySummary]]:
        """Since the counters were zeroed: of all requests, and by the port of the backend that answered."""
        by_port = self.totals().latencies
        whole = Histogram.of(by_port.values()).summary()
        return whole, {port: histogram.summary() for port, histogram in by_port.items()}

    def seconds(self, port: int | None = None) -> tuple[SecondView, ...]:
        """The last minute of one backend or of all, oldest first, without gaps; the last second is still filling."""
        now = int(self._clock())
        counted = dict(self._seconds)
        first = now - CHART_SECONDS + 1
        for key in [key for key in self._views if key[0] < first]:
            del self._views[key]
        views = []
        for second in range(first, now + 1):
            view = self._views.get((second, port))
            if view is None:
                view = _view(second, counted.get(second), port)
                if second < now:
                    self._views[second, port] = view
            views.append(view)
        return tuple(views)

    def series(self, ports: Sequence[int]) -> tuple[LatencySeries, ...]:
        """The latencies of all together, then of each backend."""
        by_port = self.totals().latencies
        histograms = {None: Histogram.of(by_port.values())} | {port: by_port[port] for port in ports}
        return tuple(
            LatencySeries(port, self.seconds(port), histogram.buckets(), histogram.summary())
            for port, histogram in histograms.items()
        )

    @property
    def _parts(self) -> tuple[Counts, ...]:
        """What together is everything since the counters were zeroed."""
        return (self._past, self._seconds[-1][1]) if self._seconds else (self._past,)

    def _this_second(self) -> Counts:
        now = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != now:
            if self._seconds:
                self._past.add(self._seconds[-1][1])
            self._seconds.append((now, Counts()))
            while self._seconds[0][0] <= now - CHART_SECONDS:
                self._seconds.popleft()
        return self._seconds[-1][1]

    def _last_full_seconds(self, span: int) -> list[Counts]:
        now = int(self._clock())
        return [counts for second, counts in self._seconds if now - span <= second < now]

    def _rate_span(self) -> float:
        """The seconds that rates are taken over: fewer just after the start."""
        now = int(self._clock())
        return min(float(RATE_SECONDS), max(1.0, now - self._started))


def _together(parts: Iterable[Latencies]) -> Latencies:
    whole: defaultdict[int | None, Histogram] = defaultdict(Histogram)
    for part in parts:
        for port, histogram in part.items():
            whole[port].merge(histogram)
    return whole


def _view(second: int, counts: Counts | None, port: int | None) -> SecondView:
    if counts is None:
        return SecondView(second)
    if port is None:
        latency = Histogram.of(counts.latencies.values()).summary()
        view = SecondView(
            second,
            counts.answered,
            counts.failed,
            counts.retried,
            counts.late,
            others_failed=counts.others_failed,
            others_retried=counts.others_retried,
        )
    else:
        latency = counts.latencies[port].summary() if port in counts.latencies else LatencySummary()
        view = SecondView(second, latency.count)
    return replace(
        view,
        p50_ms=latency.p50_ms,
        p95_ms=latency.p95_ms,
        p99_ms=latency.p99_ms,
        max_ms=latency.max_ms,
    )
