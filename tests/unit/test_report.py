"""The report, as people and as programs read it."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from lab.commandline.report import CSV_COLUMNS, Report
from lab.counts.latency import LatencySummary
from lab.counts.ledger import Ledger
from lab.faults.clock import Injection
from lab.models import BackendView, NginxView, TrafficView
from lab.states import BackendState, LoopKind
from lab.traffic.plan import TrafficSpec

LATENCY = LatencySummary(1000, 0.8, 2.5, 2.1234567, 3.0, 4.0, 5.0, 6.0, 7.0)
BACKENDS = (
    BackendView(71, BackendState.UP, 2752, weight=5, hits=750, share=0.75, latency=LATENCY),
    BackendView(72, BackendState.KILLED, None, hits=250, share=0.25, failures=1),
)
TRAFFIC = TrafficView(
    loop=LoopKind.CLOSED,
    connections=4,
    sent=1000,
    answered=998,
    failed=2,
    retried=1,
    errors=(("timeout", 1), ("http_502", 1)),
    latency=LATENCY,
)
LEDGER = Ledger(999, 999, 1000, 1000, other_clients=3)
REPORT = Report(
    algorithm="round_robin",
    nginx=NginxView("1.31.3", "bundled", 8070),
    nginx_path="/opt/nginx",
    workers=1,
    plan=TrafficSpec(rate_rps=20),
    traffic=TRAFFIC,
    backends=BACKENDS,
    ledger=LEDGER,
    duration_seconds=2.0,
)
PERCENTILES = ["min", "mean", "p50", "p90", "p95", "p99", "p99_9", "max", "count"]


def as_dict(report: Report) -> dict[str, Any]:
    parsed = json.loads(report.as_json())
    assert isinstance(parsed, dict)
    return parsed


def test_the_json_has_every_field_of_the_contract() -> None:
    """Tools outside the project rely on these names; more may be added, none taken away."""
    content = as_dict(REPORT)
    assert {
        "algorithm",
        "url",
        "nginx",
        "loop",
        "requests",
        "duration_s",
        "rate_rps",
        "latency_ms",
        "backends",
        "ledger",
    } <= set(content)
    assert {"version", "path", "workers"} <= set(content["nginx"])
    assert {"sent", "answered", "failed", "retried", "errors"} <= set(content["requests"])
    assert set(PERCENTILES) <= set(content["latency_ms"])
    for backend in content["backends"]:
        assert {"port", "pid", "state", "weight", "hits", "share", "latency_ms"} <= set(backend)
        assert set(PERCENTILES) <= set(backend["latency_ms"])
    assert {"client_answered", "nginx_logged", "backends_served", "other_clients", "balanced"} <= set(content["ledger"])


def test_the_json_has_the_contracts_values() -> None:
    """Numbers are numbers, states and loops are words, what is unknown is null."""
    content = as_dict(REPORT)
    assert content["algorithm"] == "round_robin"
    assert content["url"] == "http://127.0.0.1:8070/"
    assert content["nginx"] == {"version": "1.31.3", "path": "/opt/nginx", "workers": 1}
    assert content["loop"] == "closed"
    assert content["requests"]["errors"] == {"timeout": 1, "http_502": 1}
    assert (content["duration_s"], content["rate_rps"]) == (2.0, 499.0)
    assert content["latency_ms"]["p50"] == 2.123
    assert content["latency_ms"]["count"] == 1000
    first, second = content["backends"]
    assert (first["port"], first["pid"], first["state"], first["share"]) == (71, 2752, "up", 0.75)
    assert (second["pid"], second["state"], second["latency_ms"]["p50"]) == (None, "killed", None)
    assert content["ledger"]["balanced"] is True


def test_an_open_loop_is_called_so() -> None:
    """The contract's word is `open`."""
    report = replace(REPORT, plan=TrafficSpec(rate_rps=50), traffic=replace(TRAFFIC, loop=LoopKind.OPEN))
    assert as_dict(report)["loop"] == "open"
    assert "open loop, 50 req/s" in report.as_text()


def test_an_unbalanced_ledger_says_so_everywhere() -> None:
    """In JSON by `balanced`, in text by what differs."""
    report = replace(REPORT, ledger=replace(LEDGER, nginx_logged=990))
    assert as_dict(report)["ledger"]["balanced"] is False
    assert "client has 9 more answers than nginx logged" in report.as_text()
    assert "all agree" in REPORT.as_text()


def test_requests_past_nginx_are_reported_where_there_were_any() -> None:
    """They belong to none of the counts that must agree."""
    report = replace(REPORT, ledger=replace(LEDGER, direct=3))
    assert as_dict(report)["ledger"]["direct"] == 3
    assert "nginx 1,000 = backends 1,000, and 3 past nginx" in report.as_text()
    assert "past nginx" not in REPORT.as_text()


def test_what_restart_did_is_reported_of_each_backend_concerned() -> None:
    """How often one was brought back; that one was left alone, why, and what it said last, inert in a terminal."""
    first, second = BACKENDS
    gone = ("ended with code 3", "Traceback:", "\x1b[2Jno such luck")
    report = replace(REPORT, backends=(replace(first, revivals=1), replace(second, revivals=2, left_alone=gone)))
    told = [(each["revivals"], each["left_alone"]) for each in as_dict(report)["backends"]]
    assert told == [(1, None), (2, {"why": gone[0], "last_words": list(gone[1:])})]
    lines = report.as_text().splitlines()
    begin = lines.index("restart 71 brought back once")
    assert lines[begin + 1 : begin + 4] == [
        "restart 72 brought back 2 times, left alone: ended with code 3",
        "        │ Traceback:",
        "        │ ␛[2Jno such luck",
    ]
    rows = list(csv.DictReader(io.StringIO(report.as_csv())))
    assert [row["revivals"] for row in rows] == ["1", "2", "3"]
    assert "restart" not in REPORT.as_text()


def test_what_happened_beside_the_figures_is_reported() -> None:
    """One line each, whatever is in it."""
    report = replace(REPORT, notices=("nginx's worker (PID 7) has died (signal 9)", "nginx complains: \x1b[2J\n"))
    assert as_dict(report)["notices"] == list(report.notices)
    assert report.as_text().splitlines()[-2:] == [
        "note    nginx's worker (PID 7) has died (signal 9)",
        "note    nginx complains: ␛[2J␊",
    ]


def test_csv_columns_keep_their_places() -> None:
    """One row a backend and one for all; later versions append columns and never insert any."""
    header, *rows = csv.reader(io.StringIO(REPORT.as_csv()))
    assert header[:27] == [
        "algorithm",
        "port",
        "pid",
        "state",
        "weight",
        "hits",
        "share",
        "min_ms",
        "mean_ms",
        "p50_ms",
        "p90_ms",
        "p95_ms",
        "p99_ms",
        "p99_9_ms",
        "max_ms",
        "count",
        "sent",
        "answered",
        "failed",
        "retried",
        "duration_s",
        "rate_rps",
        "loop",
        "late",
        "revivals",
        "resent",
        "backup",
    ]
    assert [row[1] for row in rows] == ["71", "72", "all"]
    assert all(len(row) == len(header) for row in rows)
    backend, _, everything = (dict(zip(header, row, strict=True)) for row in rows)
    assert (backend["pid"], backend["state"], backend["hits"], backend["sent"]) == ("2752", "up", "750", "")
    assert (everything["hits"], everything["sent"], everything["rate_rps"]) == ("1000", "1000", "499.0")
    assert (everything["loop"], everything["late"]) == ("closed", "0")


def test_a_csv_column_has_its_place_in_one_list_whichever_rows_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a new one is appended there: what isn't listed isn't written somewhere in between."""
    monkeypatch.setattr("lab.commandline.report.CSV_COLUMNS", CSV_COLUMNS[:-1])
    with pytest.raises(ValueError, match=CSV_COLUMNS[-1]):
        REPORT.as_csv()


def test_the_text_names_what_was_done_and_what_came_of_it() -> None:
    """Algorithm, nginx, loop, counts, errors, a line for each backend, the ledger."""
    text = REPORT.as_text()
    assert "round_robin on nginx 1.31.3 (bundled, 1 worker) at http://127.0.0.1:8070/" in text
    assert "closed loop, 4 connections: 1,000 requests in 2.00 s" in text
    assert "answered 998   failed 2   retried 1   (timeout 1  http_502 1)" in text
    assert [line.split()[0] for line in text.splitlines() if line.strip()[:2] in {"71", "72", "al"}] == [
        "71",
        "72",
        "all",
    ]
    assert "killed" in text
    assert text.endswith("\n")


def test_a_backup_that_got_nothing_is_told_from_a_backend_that_is_starved() -> None:
    """Its state says so as long as it could serve; how it died is more important than what it was for."""
    spare = replace(BACKENDS[0], is_backup=True)
    dead = replace(BACKENDS[1], is_backup=True)
    report = replace(REPORT, backends=(spare, dead))
    rows = [line.split() for line in report.as_text().splitlines()]
    assert [row[2] for row in rows if row[:1] in (["71"], ["72"])] == ["backup", "killed"]
    assert [backend["backup"] for backend in as_dict(report)["backends"]] == [True, True]
    assert [backend["down"] for backend in as_dict(REPORT)["backends"]] == [False, False]
    assert [row["backup"] for row in csv.DictReader(io.StringIO(report.as_csv()))] == ["True", "True", ""]


def test_requests_that_were_sent_again_are_reported() -> None:
    """An nginx that was killed under them lost them, though the client hid it from whoever waited."""
    report = replace(REPORT, traffic=replace(TRAFFIC, resent=7))
    assert as_dict(report)["requests"]["resent"] == 7
    assert "retried 1   resent 7   (timeout" in report.as_text()
    assert "resent" not in REPORT.as_text()


def test_statuses_are_reported_when_any_is_not_200() -> None:
    """A run of nothing but 404s has answers and no failures: nothing else would say that it hit nothing."""
    report = replace(REPORT, traffic=replace(TRAFFIC, statuses=((404, 997), (200, 1), (502, 1))))
    assert as_dict(report)["requests"]["statuses"] == {"404": 997, "200": 1, "502": 1}
    assert "\nstatuses 404: 997  200: 1  502: 1\n" in report.as_text()
    fine = replace(REPORT, traffic=replace(TRAFFIC, statuses=((200, 998),)))
    assert "statuses" not in fine.as_text()


def test_an_interrupted_run_says_so() -> None:
    """What it has measured until then is reported all the same."""
    report = replace(REPORT, is_interrupted=True)
    assert as_dict(report)["interrupted"] is True
    assert "interrupted" in report.as_text()
    assert "interrupted" not in REPORT.as_text()


def test_planned_faults_are_reported_as_they_were_injected() -> None:
    """At which second, which backend, what; and what couldn't be."""
    report = replace(
        REPORT,
        faults=(
            Injection("slow:72:300ms@3s..6s", 72, "slow 300 ms", 3.0012345, 6.002),
            Injection("kill:71@9s", 71, "killed"),
            Injection("freeze:71@1s", 71, "frozen", 1.0, refusal="It isn't running."),
        ),
    )
    slow, kill, freeze = as_dict(report)["faults"]
    assert slow == {
        "planned": "slow:72:300ms@3s..6s",
        "port": 72,
        "fault": "slow 300 ms",
        "at_s": 3.001,
        "until_s": 6.002,
        "error": None,
    }
    assert (kill["at_s"], kill["until_s"], kill["error"]) == (None, None, None)
    assert freeze["error"] == "It isn't running."
    text = report.as_text()
    assert "fault   72 slow 300 ms   3.00 s to 6.00 s\n" in text
    assert "fault   71 killed   not injected: the run was over before kill:71@9s\n" in text
    assert "fault   71 frozen   1.00 s   ✗ It isn't running.\n" in text
    assert as_dict(REPORT)["faults"] == []
    assert "fault" not in REPORT.as_text()


@pytest.mark.parametrize("kind", ["as_text", "as_json", "as_csv"])
def test_a_run_that_measured_nothing_can_be_reported(kind: str) -> None:
    """No request, no time, no latency: unknown, and no division by zero."""
    nothing = Report(
        algorithm="random",
        nginx=NginxView("1.31.3", "bundled", 70),
        nginx_path="/opt/nginx",
        workers=1,
        plan=TrafficSpec(rate_rps=20),
        traffic=TrafficView(),
        backends=(BackendView(71, BackendState.EXITED),),
        ledger=Ledger(),
        duration_seconds=0.0,
    )
    if kind == "as_text":
        nothing = replace(nothing, traffic=replace(nothing.traffic, target_rps=20.0))
    text: str = getattr(nothing, kind)()
    assert "random" in text
    assert "nan" not in text.lower()
