"""What the panels below the grid say."""

from dataclasses import replace

from rich.cells import cell_len

from lab.counts.latency import LatencySummary, SecondView
from lab.counts.ledger import Ledger
from lab.models import TrafficView
from lab.states import LoopKind
from lab.witnesses import Attempt, RequestView
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import NOW, request, running
from tests.tui.showing import dashboard, dashboard_of, lines, show, text_of
from tui.feed_filter import FeedFilter
from tui.ink import Ink, plain_text
from tui.request_text import request_line
from tui.widgets.latency_chart import latency_lines
from tui.widgets.rate_chart import rate_lines
from tui.widgets.request_feed import RequestFeed
from tui.widgets.title_bar import TitleBar, title_line
from tui.widgets.traffic_panel import TrafficPanel, ledger_line, loop_line, traffic_lines

FOREIGN = "[red]x[/red][@click=app.quit]y[/]\x1b[31mz\x9b2J\u202e\r\n"


def said(request: RequestView, width: int = 60) -> str:
    return plain_text(request_line(request, width))


def test_request_reads_as_drawn() -> None:
    """Time, what, by whom, how long and how it ended, in columns."""
    assert said(request(5))[12:] == "  GET /5      → 72 pid 2753           1.3 ms 200"


def test_failed_attempts_are_crossed_out_in_the_chain() -> None:
    """A fail-over shows which backend gave nothing and which answered."""
    attempts = (Attempt("127.0.0.1:74", 74, 502), Attempt("127.0.0.1:75", 75, 200, 0.001))
    assert "→ 74 ✗ → 75" in said(request(5, attempts=attempts))


def test_request_that_found_no_live_backend_says_so() -> None:
    """nginx logs the upstream's own name when it had nobody to ask, which reads like a program's."""
    line = said(request(5, status=502, attempts=(Attempt("lablb", None, 502),), pid=None))
    assert "→ nobody live ✗" in line
    assert line.endswith("502")


def test_a_body_that_was_cut_is_marked_and_can_be_searched_for() -> None:
    """Its status is 200, since the header had been sent."""
    cut = request(5, is_cut=True)
    assert "→ 72 ✗ cut" in said(cut, width=90)
    assert "→ 72 ✗ cut" in said(cut)
    assert FeedFilter("cut").wants(cut)
    assert not FeedFilter("cut").wants(request(6))


def test_a_latency_is_as_precise_as_whoever_told_it() -> None:
    """The client's to the tenth, nginx's of another client in whole milliseconds, and none until the client tells."""
    assert "1.3 ms 200" in said(request(5))
    assert " 1 ms 200" in said(request(5, client="curl/8.5.0"))
    assert " … 200" in said(request(5, latency_ms=None))


def test_other_clients_are_named() -> None:
    """Whoever isn't the lab's own client stands in parentheses."""
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    assert "(Firefox)" in said(request(5, client=browser))
    assert "(curl/8.5)" in said(request(5, client="curl/8.5.0"))


async def test_foreign_text_is_inert() -> None:
    """Markup stays text and control characters become visible signs, in every field of a request."""
    lab = FakeLab()
    foreign = request(
        1, method=FOREIGN, uri=FOREIGN, client=FOREIGN, attempts=(Attempt(FOREIGN, None, None),), request_id=FOREIGN
    )
    async with dashboard_of(lab, running(feed=(foreign,)), size=(200, 60)) as pilot:
        shown = text_of(pilot, RequestFeed).strip()
        assert "\x1b" not in shown
        assert all(character.isprintable() for character in shown)
        assert "[red]x[/red]" in shown
        assert pilot.app.is_running


def test_foreign_text_keeps_the_columns() -> None:
    """Wide, combining and control characters take the room they show."""
    for uri in (FOREIGN, "/日本語日本語日本語日本語", "/e\u0301" * 20, "/" + "a" * 500):
        for width in (40, 56, 76, 97):
            assert cell_len(said(request(5, uri=uri, client=uri), width)) == width


async def test_feed_has_the_newest_request_at_the_bottom() -> None:
    """The latest that fit, oldest of them first."""
    lab = FakeLab()
    async with dashboard_of(lab, running(feed=tuple(request(number) for number in range(100)))) as pilot:
        feed = dashboard(pilot).query_one(RequestFeed)
        shown = lines(feed)
        assert "GET /99 " in shown[-1]
        assert f"GET /{100 - len(shown)} " in shown[0]


async def test_looking_back_holds_the_feed_still() -> None:
    """After the wheel turned back, new requests don't move what is being read; turned forward, it follows again."""
    lab = FakeLab()
    requests = tuple(request(number) for number in range(100))
    async with dashboard_of(lab, running(feed=requests)) as pilot:
        feed = dashboard(pilot).query_one(RequestFeed)
        feed.on_mouse_scroll_up()
        assert "GET /96 " in lines(feed)[-1]
        await show(pilot, lab, running(sequence=3, feed=(*requests[10:], request(100), request(101))))
        assert "GET /96 " in lines(feed)[-1]
        for _ in range(3):
            feed.on_mouse_scroll_down()
        assert "GET /101 " in lines(feed)[-1]


def test_paused_traffic_says_so_first() -> None:
    """A word, not only a colour."""
    assert plain_text(loop_line(TrafficView(is_paused=True, target_rps=20), 56)) == " ‖ PAUSED  open loop 20/s"


def test_loop_says_what_it_aims_at_and_gets() -> None:
    """An open loop has a rate, a closed one connections."""
    assert plain_text(loop_line(TrafficView(target_rps=100, rate_rps=99.8), 56)) == "open loop 100/s → 100/s answered"
    closed = TrafficView(loop=LoopKind.CLOSED, connections=8, rate_rps=4000)
    assert plain_text(loop_line(closed, 56)) == "closed loop 8 conn. → 4,000/s answered"


def test_ledger_tells_agreement_from_what_is_on_the_way_and_from_loss() -> None:
    """Counts may differ by what is on its way; beyond that they must not."""
    assert plain_text(ledger_line(Ledger(9, 9, 9, 9), 56)) == "ledger ✓ all agree"
    assert plain_text(ledger_line(Ledger(9, 8, 9, 9, client_moving=1), 56)) == "ledger ✓ agree, 1 on the way"
    assert plain_text(ledger_line(Ledger(12, 9, 9, 9), 60)) == "ledger ✗ client has 3 more answers than nginx logged"
    both = Ledger(client_answered=140, nginx_logged=10, backends_served=12, nginx_forwarded=10)
    assert plain_text(ledger_line(both, 56)) == "ledger ✗ nginx -130 to client, -2 to backends"
    assert plain_text(ledger_line(both, 34)) == "ledger ✗ -130 client, -2 backends"


def test_traffic_counts_fit_the_smallest_panel() -> None:
    """Five lines of 34 cells hold the loop, six counts of millions, and the ledger."""
    traffic = TrafficView(target_rps=9000, sent=12_345_678, answered=12_345_670, failed=8, retried=1204, rate_rps=8999)
    snapshot = replace(running(), traffic=traffic)
    shown = [plain_text(line) for line in traffic_lines(snapshot, 34, 5)]
    assert len(shown) == 5
    assert max(map(len, shown)) <= 34
    assert shown[1].split() == ["sent", "12,345,678", "answered", "12.3M"]
    assert shown[-1] == "ledger ✓ all agree"


async def test_traffic_panel_says_which_loop_it_is() -> None:
    """In its border, with what that means."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        panel = dashboard(pilot).query_one(TrafficPanel)
        assert "open loop" in str(panel.border_title)
        assert "by the clock" in str(panel.border_subtitle)
        await show(pilot, lab, running(sequence=2, traffic=TrafficView(loop=LoopKind.CLOSED)))
        assert "closed loop" in str(panel.border_title)
        assert "when an answer came" in str(panel.border_subtitle)


def test_kinds_of_failure_are_listed_where_there_is_room() -> None:
    """Most frequent first."""
    traffic = TrafficView(failed=5, errors=(("timeout", 4), ("reset", 1)))
    shown = [plain_text(line) for line in traffic_lines(replace(running(), traffic=traffic), 56, 8)]
    assert "✗ timeout 4, reset 1" in shown


def test_latency_chart_has_units_axis_and_gaps() -> None:
    """A second without answers leaves a hole; failures are marked on the axis."""
    seconds = (
        *(SecondView(n, answered=20, p50_ms=1.0, p99_ms=4.0) for n in range(30)),
        *(SecondView(n) for n in range(30, 45)),
        *(SecondView(n, answered=20, failed=2, p50_ms=1.0, p99_ms=4.0) for n in range(45, 60)),
    )
    shown = [plain_text(line) for line in latency_lines(seconds, 69, 12)]
    assert shown[0].startswith("━ p99 4.0 ms")
    assert "✗ 30 failed" in shown[0]
    assert shown[1].startswith("    5 ms┤")
    assert shown[10].startswith("  0.5 ms┴")
    assert shown[10].count("✗") == 15
    assert shown[11].split() == ["60", "s", "ago", "now"]
    bottom = shown[9].removeprefix("        │")
    assert bottom[5] != " "
    assert bottom[36:44].strip() == ""


def test_late_requests_are_shown_where_failed_ones_are() -> None:
    """Counted in the legend, marked on the axis second by second; a failure in the same second goes before."""
    seconds = tuple(
        SecondView(n, answered=20, failed=n == 59, late=5 * (n in (30, 59)), p50_ms=1.0, p99_ms=4.0) for n in range(60)
    )
    shown = [plain_text(line) for line in latency_lines(seconds, 69, 12)]
    assert shown[0].endswith("✗ 1 failed  ! 10 late")
    assert shown[10].count("!") == 1
    assert shown[10].endswith("✗")
    assert plain_text(latency_lines(seconds, 42, 5)[0]).endswith("✗ 1  ! 10")
    assert "! late 5" in plain_text(rate_lines(seconds, 90, 10)[0])


def test_visits_past_nginx_are_counted_beside_the_other_clients_on_any_panel() -> None:
    """As soon as there is one; no failure and no error gives way to them."""
    traffic = TrafficView(
        sent=6020, answered=6015, failed=5, retried=2, late=1, other_clients=4, errors=(("reset", 5),)
    )
    quiet = replace(running(), traffic=traffic)
    visited = replace(quiet, traffic=replace(quiet.traffic, direct=3))
    for width, height in ((34, 5), (34, 6), (56, 6), (56, 8)):
        shown = [plain_text(line) for line in traffic_lines(visited, width, height)]
        said = " ".join(" ".join(shown).split())
        assert "others 4 direct 3" in said
        assert "failed 5" in said
        assert len(shown) == height
        assert max(map(len, shown)) <= width
        assert ("reset 5" in said) == (
            "reset 5" in "".join(plain_text(it) for it in traffic_lines(quiet, width, height))
        )
        assert "direct" not in "".join(plain_text(line) for line in traffic_lines(quiet, width, height))


def test_requests_that_were_sent_again_are_counted_on_any_panel() -> None:
    """As soon as there is one: without them, an nginx that was killed would seem to have cost nothing."""
    traffic = TrafficView(sent=6020, answered=6020, other_clients=4, resent=12)
    for width, height in ((34, 5), (34, 6), (56, 6), (56, 8)):
        shown = [plain_text(line) for line in traffic_lines(replace(running(), traffic=traffic), width, height)]
        assert "resent 12" in " ".join(" ".join(shown).split())
        assert len(shown) <= height
        assert max(map(len, shown)) <= width
    both = replace(running(), traffic=replace(traffic, direct=3))
    said = " ".join(" ".join(plain_text(line) for line in traffic_lines(both, 56, 8)).split())
    assert "resent 12 direct 3" in said


def test_slow_second_does_not_flatten_the_others() -> None:
    """On the logarithmic axis 1 ms stands clear of 2 ms, though one second had 2 s."""
    seconds = tuple(SecondView(n, answered=20, p50_ms=1.0, p99_ms=2000.0 if n == 30 else 2.0) for n in range(60))
    shown = [plain_text(line) for line in latency_lines(seconds, 69, 14)]
    assert shown[1].startswith("     3 s┤")
    lowest_of_p99 = max(
        y for y, line in enumerate(shown[:12]) if "⠒" in line or "⠤" in line or "⣀" in line or "⠉" in line
    )
    assert lowest_of_p99 >= 10


def test_charts_wait_for_data_without_a_fuss() -> None:
    """No second yet, or no answer yet, is an empty chart."""
    assert plain_text(latency_lines((), 60, 10)[0]).startswith("━ p99 –")
    assert plain_text(rate_lines((SecondView(1),), 60, 10)[0]).startswith("█ answered 0")


async def test_title_says_what_the_lab_is_busy_with() -> None:
    """A reload shows for as long as it takes."""
    lab = FakeLab()
    async with dashboard_of(lab) as pilot:
        assert text_of(pilot, TitleBar).split("  ")[-1].strip() == "5/5 up"
        await show(pilot, lab, running(sequence=2, activity="nginx: testing the configuration"))
        assert "nginx: testing the configuration" in text_of(pilot, TitleBar)


def test_title_fits_eighty_columns() -> None:
    """What nginx costs gives way to what the lab does."""
    line = title_line(running(activity="nginx: testing the configuration"), 78, NOW)
    assert len(plain_text(line)) == 78
    assert "http://127.0.0.1:70/" in plain_text(line)
    assert all(ink is not Ink.MUTED for _, ink in line)


def test_title_tells_no_number_of_workers_before_they_are_known() -> None:
    """Nobody has looked for them in the first moment: "0 workers" would be untrue."""
    nginx = running().nginx
    assert nginx is not None
    assert "1 worker " in plain_text(title_line(running(), 160, NOW))
    unknown = replace(running(), nginx=replace(nginx, worker_pids=(), cpu_percent=None))
    assert "worker" not in plain_text(title_line(unknown, 160, NOW))


def test_slow_answers_are_told_in_seconds() -> None:
    """From one second on milliseconds are hard to read."""
    assert "2.0 s" in said(request(5, latency_ms=2000.0))
    traffic = TrafficView(latency=LatencySummary(p50_ms=1.2, p99_ms=5000.0))
    shown = "\n".join(plain_text(line) for line in traffic_lines(replace(running(), traffic=traffic), 56, 8))
    assert "5.0 s" in shown
