"""The X-ray, below the backends or in their place."""

from dataclasses import replace

import pytest

from lab.states import BackendState
from lab.xray.shadow import Shadow
from lab.xray.view import XRay
from tests.tui.fake_lab import FakeLab
from tests.tui.samples import backend, request, running
from tests.tui.showing import AppPilot, chosen_port, dashboard, dashboard_of, is_seen, lines, show
from tests.unit.made_up import answered_by, refused_by
from tests.unit.test_shadow import START, follow, in_turn, line, upstream_of
from tests.waiting import wait_for
from tui.ink import plain_text
from tui.widgets.backend_grid import BackendGrid
from tui.widgets.filter_line import FilterLine
from tui.widgets.line_panel import LinePanel
from tui.widgets.request_feed import RequestFeed
from tui.widgets.xray_drawing import XRayDrawing
from tui.widgets.xray_table import XRayTable
from tui.xray_text import walk_lines


def xray_of(algorithm: str, *ports: int, weights: tuple[int, ...] = (1, 1, 1, 1, 1)) -> XRay:
    """After these picks, one after the other."""
    return follow(Shadow({1: upstream_of(*weights, algorithm=algorithm)}, 1), in_turn(ports))


def shown(pilot: AppPilot, panel: type[LinePanel]) -> list[str]:
    return lines(pilot.app.screen.query_one(panel))


def title(pilot: AppPilot) -> str:
    return str(pilot.app.screen.query_one(XRayTable).border_title)


async def open_xray(pilot: AppPilot) -> None:
    await pilot.press("x")
    await wait_for(pilot, lambda: any(shown(pilot, XRayTable)), what="its table")
    await pilot.pause()


async def test_round_robin_shows_its_weights_and_who_is_next() -> None:
    """5:1:1 after a a b; the title says that it is a model, and how often it was right."""
    snapshot = running(xray=xray_of("round_robin", 71, 71, 72, weights=(5, 1, 1)))
    async with dashboard_of(FakeLab(), snapshot) as pilot:
        await open_xray(pilot)
        assert title(pilot) == "X-ray of round robin · a model · ✓ predicted 3 of 3"
        heading, first, second, third, *_ = shown(pilot, XRayTable)
        assert heading.split() == ["port", "weight", "effective", "current", "hits", "share", "by", "weight"]
        assert first.split()[:6] == ["▸", "1", "71", "5", "5", "+1"]
        assert first.endswith("next")
        assert second.split()[:5] == ["2", "72", "1", "1", "-4"]
        assert third.split()[:5] == ["3", "73", "1", "1", "+3"]
        assert shown(pilot, XRayDrawing)[0].startswith("GET /: it went to 72: its current weight 3 is the highest of")


async def test_a_mistake_is_told() -> None:
    """In the record, and by the pick."""
    snapshot = running(xray=xray_of("round_robin", 71, 73))
    async with dashboard_of(FakeLab(), snapshot) as pilot:
        await open_xray(pilot)
        assert title(pilot).endswith("a model · 50.0 %, predicted 1 of 2")
        assert "it went to 73, and the model had said 72" in shown(pilot, XRayDrawing)[0]
        assert any("latest 71 73✗" in each for each in shown(pilot, XRayDrawing))


@pytest.mark.parametrize(
    ("algorithm", "says"),
    [
        ("least_conn", "tied"),
        ("random", "20.0 %"),
        ("random_two", "the second one drawn"),
        ("ip_hash", "modulo 5 ="),
        ("hash", "numbers 0 → 71"),
        ("hash_consistent", "the ring, 800 points"),
        ("least_time", "expected ms"),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_each_algorithm_shows_what_it_decides_by(algorithm: str, says: str, size: tuple[int, int]) -> None:
    """On any terminal, nothing is wider than its panel."""
    snapshot = running(xray=xray_of(algorithm, 71, 72, 73, 74), algorithm=algorithm)
    async with dashboard_of(FakeLab(), snapshot, size=size) as pilot:
        await open_xray(pilot)
        text = "\n".join([*shown(pilot, XRayTable), *shown(pilot, XRayDrawing)])
        assert says in text
        assert "Noise or real?" in text
        assert "Jain's fairness index" in text


@pytest.mark.parametrize(
    ("algorithm", "says"),
    [("hash_consistent", ("▼", "closer: ◆ / at", "◆·")), ("random_two", ("71+72", "pairs more")), ("hash", ("key /",))],
)
async def test_on_a_small_terminal_nothing_is_cut_without_a_sign(algorithm: str, says: tuple[str, ...]) -> None:
    """Blank lines go first."""
    snapshot = running(xray=xray_of(algorithm, 71, 72, 73, 74), algorithm=algorithm)
    async with dashboard_of(FakeLab(), snapshot, size=(80, 24)) as pilot:
        await open_xray(pilot)
        text = "\n".join(shown(pilot, XRayDrawing))
        assert all(each in text for each in says), text


def test_the_step_of_a_walk_that_decides_is_always_shown() -> None:
    """Those before it are counted where there is no room for them."""
    lines = [line(0, refused_by(71)), line(1, refused_by(73)), line(2, answered_by(72), uri="/2")]
    xray = follow(Shadow({1: upstream_of(1, 1, 1, algorithm="hash")}, 1), lines)
    assert xray.last is not None
    assert len(xray.last.steps) > 2
    drawn = [plain_text(each) for each in walk_lines(xray, 76, 4)]
    assert len([each for each in drawn if each]) == 4
    assert drawn[-2] == f"… {len(xray.last.steps) - 1} in vain before"
    assert drawn[-1].endswith("→ 72")


async def test_who_is_passed_over_has_a_word_for_it_where_room_is_short() -> None:
    """And a sentence where it isn't."""
    xray = follow(Shadow({1: upstream_of(1, 1)}, 1), [line(0, refused_by(71), answered_by(72))])
    for size, note in (((80, 24), "✗ aside"), ((120, 36), "✗ it failed, and its fail_timeout isn't over")):
        async with dashboard_of(FakeLab(), running(xray=xray), size=size) as pilot:
            await open_xray(pilot)
            assert shown(pilot, XRayTable)[1].endswith(note)


TROUBLES = (
    ({"state": BackendState.KILLED, "pid": None}, "✗ killed · ✗ aside"),
    ({"state": BackendState.FROZEN}, "‖ frozen · ✗ aside"),
    ({"is_slowed": True, "service_time_ms": 300.0}, "● slow 300 ms · ✗ aside"),
    ({"fault": "errors 503, 30 %"}, "◐ errors 503 30% · ✗ aside"),
)


@pytest.mark.parametrize("algorithm", ["round_robin", "least_time", "hash"])
@pytest.mark.parametrize(("trouble", "note"), TROUBLES)
async def test_where_the_xray_has_the_grids_place_it_tells_the_processes_states(
    algorithm: str, trouble: dict[str, object], note: str
) -> None:
    """Beside what nginx makes of it, in words, at 80 × 24; who is simply up needs none, nor whom the grid shows."""
    xray = follow(Shadow({1: upstream_of(1, 1, algorithm=algorithm)}, 1), [line(0, refused_by(71), answered_by(72))])
    snapshot = running(xray=xray, algorithm=algorithm, backends=2)
    snapshot = replace(snapshot, backends=(backend(71, **trouble), backend(72)))
    async with dashboard_of(FakeLab(), snapshot, size=(80, 24)) as pilot:
        await open_xray(pilot)
        assert shown(pilot, XRayTable)[1].endswith("  " + note)
        assert "up" not in shown(pilot, XRayTable)[2]
        await pilot.resize_terminal(120, 36)
        await wait_for(pilot, lambda: is_seen(dashboard(pilot).query_one(BackendGrid)), what="the grid")
        word = note.partition(" · ")[0]
        await wait_for(pilot, lambda: word not in shown(pilot, XRayTable)[1], what="the word to go")


async def test_columns_are_explained_where_there_is_room() -> None:
    """Below the drawing; an average that rests has its note."""
    shadow = Shadow({1: upstream_of(1, 1, algorithm="least_time")}, 1)
    slow = replace(answered_by(71), header_seconds=0.1)
    follow(shadow, [line(100, slow, took_ms=100)])
    xray = shadow.view(START + 12)
    async with dashboard_of(FakeLab(), running(xray=xray, algorithm="least_time")) as pilot:
        await open_xray(pilot)
        assert shown(pilot, XRayTable)[1].endswith("rests: counts half")
        assert "up to the next step of 20 ms" in " ".join(shown(pilot, XRayDrawing))


async def test_a_model_that_is_lost_shows_no_numbers() -> None:
    """It says so instead."""
    xray = replace(xray_of("round_robin", 71), is_lost=True, next_port=None)
    async with dashboard_of(FakeLab(), running(xray=xray)) as pilot:
        await open_xray(pilot)
        assert title(pilot).endswith("a model · it has lost its place, and looks for it")
        assert shown(pilot, XRayTable)[1].split()[2:5] == ["?", "?", "?"]


async def test_why_there_is_none_is_said() -> None:
    """Instead of a table."""
    xray = XRay("round_robin", "the X-ray rests above 1,000 req/s", 412, 412)
    async with dashboard_of(FakeLab(), running(xray=xray)) as pilot:
        await open_xray(pilot)
        assert shown(pilot, XRayTable)[0] == "The X-ray rests above 1,000 req/s."
        assert title(pilot).endswith("predicted 412 of 412")


async def test_the_screen_follows_and_leads_back() -> None:
    """A newer snapshot is shown; keys fire, pause and zero; escape closes."""
    lab = FakeLab()
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71))) as pilot:
        await open_xray(pilot)
        await show(pilot, lab, running(sequence=2, xray=xray_of("round_robin", 71, 72)))
        await wait_for(pilot, lambda: "it went to 72" in shown(pilot, XRayDrawing)[0], what="the newer pick")
        await pilot.press("space", "enter", "z")
        expected = {("toggle_traffic",), ("fire_once",), ("zero_counters",)}
        await wait_for(pilot, lambda: set(lab.commands) == expected, what="the commands")
        await pilot.press("escape")
        await wait_for(pilot, lambda: not is_seen(dashboard(pilot).query_one(XRayTable)), what="the charts")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_of_many_backends_those_around_the_chosen_one_are_shown(size: tuple[int, int]) -> None:
    """The border says which part that is; the line of the chosen one is marked, and no other."""
    xray = xray_of("round_robin", 71, weights=(1,) * 10)
    async with dashboard_of(FakeLab(), running(backends=10, xray=xray), size=size) as pilot:
        await open_xray(pilot)
        table = dashboard(pilot).query_one(XRayTable)

        def ports() -> list[int]:
            return [int(row[4:8]) for row in shown(pilot, XRayTable) if row[4:8].strip().isdecimal()]

        rows = len(ports())
        assert rows < 10
        assert ports() == list(range(71, 71 + rows))
        assert str(table.border_subtitle) == f"1–{rows} of 10"
        await pilot.press(*["down"] * 9)
        await pilot.pause()
        assert ports() == list(range(81 - rows, 81))
        assert str(table.border_subtitle) == f"{11 - rows}–10 of 10"
        assert [y for y in range(table.size.height) if table.is_marked(y)] == [rows]
        await pilot.press("up")
        await pilot.pause()
        assert ports()[-1] == 80, "nothing moves without need"
        assert [y for y in range(table.size.height) if table.is_marked(y)] == [rows - 1]
        assert "Jain's fairness index" in "".join(shown(pilot, XRayTable))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_backends_can_be_broken_while_the_xray_explains(size: tuple[int, int]) -> None:
    """Keys go to the chosen backend, which is marked in the grid, or in the table where that has the grid's place."""
    lab = FakeLab()
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71)), size=size) as pilot:
        await open_xray(pilot)
        await pilot.press("down", "k", "2")
        await wait_for(pilot, lambda: len(lab.commands) == 2, what="the commands")
        assert lab.commands == [("kill_backend", 72), ("use_algorithm", "least_conn")]
        table = dashboard(pilot).query_one(XRayTable)
        assert [table.is_marked(y) for y in range(4)] == [False, False, True, False]
        assert is_seen(dashboard(pilot).query_one(BackendGrid)) is (size != (80, 24))
        assert is_seen(dashboard(pilot).query_one(RequestFeed)) is (size == (200, 60))


async def test_the_feed_comes_into_sight_when_it_is_wanted() -> None:
    """Freezing or filtering what the X-ray hides closes the X-ray; what is typed then is no command."""
    lab = FakeLab()
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71))) as pilot:
        feed = dashboard(pilot).query_one(RequestFeed)
        for key in ("p", "slash"):
            await open_xray(pilot)
            await pilot.press(key)
            await wait_for(pilot, lambda: is_seen(feed), what="the feed")
            assert feed.is_frozen == (key == "p")
            assert feed.is_typing == (key == "slash")
            if feed.is_typing:
                await pilot.press("k")
                assert dashboard(pilot).query_one(FilterLine).value == "k"
            await pilot.press("escape")
        await pilot.press("r")
        await wait_for(pilot, lambda: lab.commands == [("restart_backend", 71)], what="the restart, and no kill")


async def test_a_frozen_feed_behind_the_xray_leaves_the_keys_to_the_backends() -> None:
    """Nobody steers what can't be seen; p shows it again, still frozen, with the cursor where it was."""
    lab = FakeLab()
    requests = tuple(request(number) for number in range(100))
    async with dashboard_of(lab, running(xray=xray_of("round_robin", 71), feed=requests)) as pilot:
        feed = dashboard(pilot).query_one(RequestFeed)
        await pilot.press("p", "up")
        await open_xray(pilot)
        await pilot.press("down", "pageup", "enter")
        await wait_for(pilot, lambda: lab.commands == [("fire_once",)], what="one request fired")
        assert chosen_port(pilot) == 72
        await pilot.press("p")
        await wait_for(pilot, lambda: is_seen(feed), what="the feed")
        assert feed.chosen_request == requests[98]
        await pilot.press("p")
        assert not feed.is_frozen


async def test_escape_leaves_the_feed_before_it_closes_the_xray_beside_it() -> None:
    """First what is being typed, then what is frozen, then the X-ray: it stays until nothing else is to be left."""
    requests = tuple(request(number) for number in range(100))
    snapshot = running(xray=xray_of("round_robin", 71), feed=requests)
    async with dashboard_of(FakeLab(), snapshot, size=(160, 40)) as pilot:
        feed, table = dashboard(pilot).query_one(RequestFeed), dashboard(pilot).query_one(XRayTable)
        await open_xray(pilot)
        await pilot.press("p", "slash", "7", "escape")
        assert is_seen(table)
        assert feed.is_frozen
        assert not feed.is_typing
        assert str(feed.border_title) == "Requests"
        await pilot.press("escape")
        assert is_seen(table)
        assert not feed.is_frozen
        await pilot.press("escape")
        await wait_for(pilot, lambda: not is_seen(table), what="the charts")


async def test_a_foreign_uri_is_made_harmless() -> None:
    """What a client sent can't steer the terminal."""
    shadow = Shadow({1: upstream_of(1, 1, algorithm="hash")}, 1)
    xray = follow(shadow, [line(0, answered_by(71), uri="/\x1b[2J")])
    async with dashboard_of(FakeLab(), running(xray=xray, algorithm="hash")) as pilot:
        await open_xray(pilot)
        text = "".join(shown(pilot, XRayDrawing))
        assert "/␛[2J" in text
        assert "\x1b" not in text
