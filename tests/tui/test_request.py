"""One request, as its witnesses tell of it."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from lab.witnesses import Attempt, BackendWitness, NginxWitness, RequestDetail
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import detail, request, running
from tests.tui.showing import dashboard_of, lines
from tests.tui.test_panels import FOREIGN
from tests.waiting import wait_for
from tui.ink import plain_text
from tui.screens.dashboard import Dashboard
from tui.screens.request import RequestScreen, request_lines
from tui.timeline import timeline_lines
from tui.widgets.document import Document
from tui.witnesses import nginx_lines, story


def of_nginx(status: int, *attempts: Attempt) -> RequestDetail:
    known = detail()
    return replace(known, nginx=replace(known.nginx, status=status, attempts=attempts), backends=())


ANSWER = Attempt("127.0.0.1:72", 72, 200, 0.0)
NO_ANSWER = Attempt("127.0.0.1:74", 74, 502)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (detail(), "nginx tried 74, which refused or died, then 75, which answered 200 in 3 ms."),
        (of_nginx(200, ANSWER), "nginx sent it to 72, which answered 200 in < 1 ms."),
        (of_nginx(404), "nginx answered 404 itself, without asking a backend."),
        (of_nginx(502, NO_ANSWER), "nginx tried 74, which refused or died; it answered 502 itself."),
        (
            replace(of_nginx(502, NO_ANSWER), backends=(BackendWitness(74, 1, 0.0, 1),)),
            "nginx tried 74, which took it and broke off; it answered 502 itself.",
        ),
        (
            of_nginx(504, Attempt("127.0.0.1:74", 74, 504)),
            "nginx tried 74, which did not answer in time; it answered 504 itself.",
        ),
        (
            of_nginx(502, Attempt("lablb", None, 502)),
            "nginx found no live backend; it answered 502 itself.",
        ),
    ],
)
def test_story_is_told_in_a_sentence(known: RequestDetail, told: str) -> None:
    """Who was tried, in order, and what each did, as far as nginx's line and the backends' memory say."""
    assert story(known) == told


WHY = ("Connection refused, and `error` is listed: nginx tried the next one.", "It answered.")


def test_story_gives_the_reasons_for_what_failed() -> None:
    """Where nginx's reasons are known, they take the place of guesses; an answer needs none."""
    known = detail()
    told = story(replace(known, nginx=replace(known.nginx, reasons=WHY)))
    assert told == f"nginx tried 74, which failed, then 75, which answered 200 in 3 ms. 74: {WHY[0]}"


@pytest.mark.parametrize("width", [75, 115])
def test_reason_stands_below_its_attempt(width: int) -> None:
    """Each attempt is followed by why nginx went on or stopped, wrapped, at any width."""
    known = detail()
    shown = [plain_text(line) for line in nginx_lines(replace(known, nginx=replace(known.nginx, reasons=WHY)), width)]
    tries = [y for y, line in enumerate(shown) if "try " in line]
    between = " ".join(" ".join(shown[tries[0] + 1 : tries[1]]).split())
    assert between == WHY[0]
    assert shown[tries[1] + 1].strip() == WHY[1]
    assert max(map(len, shown)) <= width


def test_story_names_what_the_client_suffered() -> None:
    """An error by its kind, and that it was sent late."""
    known = detail()
    assert known.client is not None
    late = replace(known.client, sent=known.client.due + 0.5, error="timeout", first_byte=None, status=None)
    told = story(replace(known, client=late, nginx=replace(known.nginx, status=499)))
    assert "The client was gone before the answer." in told
    assert "The client got no complete answer: timeout." in told
    assert "It was sent 500 ms late, for want of a free connection." in told


@pytest.mark.parametrize("width", [75, 115, 195])
def test_all_witnesses_are_heard(width: int) -> None:
    """Side by side where there is room, one below the other where there is none; no line is wider than that."""
    shown = [plain_text(line) for line in request_lines(detail(), width)]
    assert max(map(cell_len, shown)) <= width + 3
    text = "\n".join(shown)
    for said in (
        "What the client saw",
        "+ 120 µs",
        "+ 2.98 ms",
        "+ 100 µs",
        "3.20 ms",
        "Server: nginx/1.31.3",
        "Hello from Process Id = 2753",
        "What nginx logged",
        "74 ✗ 502",
        "75 ✓ 200 in 3 ms",
        "pid 4711",
        "number 3",
        "What the backends saw",
        "pid 2753",
        "2, with 1 other",
        "+ 1.50 ms",
        "74 tells nothing",
    ):
        assert said in text, said
    abreast = [line for line in shown if "What the client saw" in line and "What nginx logged" in line]
    assert len(abreast) == (width >= 110)


def test_timeline_puts_what_was_measured_where_it_belongs() -> None:
    """The client's parts follow each other, the backend's is within, and the axis says how long it is."""
    shown = [plain_text(line) for line in timeline_lines(detail(), 115)]
    assert [line.split("  ")[1].strip() for line in shown[:3]] == ["client", "client", "client"]
    reading = shown[2].rindex("█")
    assert shown[1].rindex("█") < reading
    assert shown[4].lstrip().startswith("75")
    assert shown[4].index("█") > shown[1].index("█")
    assert shown[4].rindex("█") < shown[1].rindex("█")
    assert shown[-1].split() == ["0", "3.20", "ms"]


def test_request_of_another_client_has_two_witnesses() -> None:
    """Nobody knows what a browser saw; who it was is said."""
    known = replace(detail(), view=request(5, client="curl/8.5.0"), client=None)
    text = "\n".join(plain_text(line) for line in request_lines(known, 75))
    assert "It is not the lab's own client, but curl/8.5.0." in text
    assert "3 ms  ░" in text
    assert "What nginx logged" in text


def test_request_that_never_got_an_answer_is_drawn() -> None:
    """No first byte, nothing done, no backend: no fuss."""
    known = detail()
    assert known.client is not None
    nothing = replace(
        known,
        client=replace(known.client, first_byte=None, status=None, error="reset", headers=(), body="", is_resent=True),
        backends=(BackendWitness(74, 1, known.client.due, 1, None),),
    )
    text = " ".join("\n".join(plain_text(line) for line in request_lines(nothing, 75)).split())
    assert "✗ reset" in text
    assert "Sent again on a new connection" in text
    assert "not answered" in text
    instant = replace(known, client=None, backends=(), nginx=replace(known.nginx, seconds=0.0))
    assert timeline_lines(instant, 115)


async def test_everything_foreign_in_it_is_inert() -> None:
    """Path, headers, body, upstream and error can't steer the terminal, nor be read as markup."""
    known = detail(99)
    assert known.client is not None
    foreign = replace(
        known,
        view=request(99, uri=FOREIGN, method=FOREIGN, client=FOREIGN, request_id=FOREIGN),
        nginx=NginxWitness(1.0, 1, 1, 502, 0.1, (Attempt(FOREIGN, None, None),)),
        client=replace(known.client, headers=((FOREIGN, FOREIGN),), body=FOREIGN * 50, error=FOREIGN),
    )
    lab = FakeLab()
    lab.details[99] = foreign
    async with dashboard_of(lab, running(feed=(foreign.view,))) as pilot:
        await pilot.press("p", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RequestScreen), what="the request")
        await pilot.pause()
        shown = "".join(lines(pilot.app.screen.query_one(Document)))
        frame = pilot.app.screen.query_one("#witnesses")
        for text in (shown, str(frame.border_title), str(frame.border_subtitle)):
            assert text.isprintable()
        assert "[red]x[/red]" in shown
        assert pilot.app.is_running


@pytest.mark.parametrize("closes", ["escape", "enter", "q"])
async def test_request_view_closes_without_quitting(closes: str) -> None:
    """It scrolls at 80 × 24, fits again after a resize, and leads back to the dashboard."""
    lab = FakeLab()
    lab.details[5] = detail()
    async with dashboard_of(lab, running(feed=(request(5),)), size=(80, 24)) as pilot:
        await pilot.press("p", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RequestScreen), what="the request")
        await pilot.press(*["pagedown"] * 3)
        frame = pilot.app.screen.query_one("#witnesses")
        await wait_for(pilot, lambda: frame.scroll_y > 0, what="the scrolling")
        await pilot.resize_terminal(120, 36)
        document = pilot.app.screen.query_one(Document)
        await wait_for(
            pilot,
            lambda: any("client saw" in line and "nginx logged" in line for line in lines(document)),
            what="the three side by side",
        )
        await pilot.press(closes)
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, Dashboard), what="the dashboard")
        assert lab.stop_calls == 0


@pytest.mark.parametrize("width", [60, 120])
def test_a_request_during_which_the_clock_was_set_back_is_shown(width: int) -> None:
    """An hour back, between any two moments of it: durations less than 0 are written as such, and nothing breaks."""
    known = detail()
    assert known.client is not None
    (backend,) = known.backends
    for client in (
        replace(known.client, sent=known.client.sent - 3600),
        replace(known.client, first_byte=known.client.due - 3600, done=known.client.due - 3600),
        replace(known.client, done=0.0),
    ):
        assert request_lines(replace(known, client=client), width)
    assert backend.done is not None
    shown = request_lines(replace(known, client=None, backends=(replace(backend, done=backend.done - 3600),)), width)
    assert "-3600" in "\n".join(map(plain_text, shown))
