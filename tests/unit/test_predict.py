"""`lablb predict`: the picks, why, and what they rest on."""

import json
import re

import pytest

from lab.cli import main


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `lablb predict`, for backends from port 8391 on."""
    monkeypatch.setattr("sys.argv", ["lablb", "predict", "--port", "8390", "--base-port", "8391", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    spoken = capsys.readouterr()
    return int(end.value.code or 0), spoken.out, spoken.err


def test_a_line_a_request_says_the_port_and_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """5:1:1 is a a b a c a a."""
    code, out, err = said(capsys, monkeypatch, "--weights", "5,1,1", "-n", "7")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        [str(number), str(port)] for number, port in enumerate((8391, 8391, 8392, 8391, 8393, 8391, 8391), start=1)
    ]
    assert lines[0] == "1  8391  its current weight 5 is the highest of 5, 1, 1"


def test_json_is_a_list_of_objects(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """number, port and why."""
    _, out, _ = said(capsys, monkeypatch, "--backends", "2", "-n", "2", "--format", "json")
    assert json.loads(out) == [
        {
            "number": 1,
            "port": 8391,
            "why": "its current weight 1 is the highest of 1, 1, and it is the first with that",
        },
        {"number": 2, "port": 8392, "why": "its current weight 2 is the highest of 0, 2"},
    ]


def test_what_is_by_chance_says_so_with_the_odds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed repeats it; in JSON the sentence goes to stderr."""
    arguments = ("--algorithm", "random_two", "--weights", "5,2,1", "-n", "3", "--seed", "4")
    _, out, _ = said(capsys, monkeypatch, *arguments)
    note = "These are by chance (seed 4), and nginx draws its own; the odds are 8391 29.8%, 8392 45.2%, 8393 25.0%."
    assert out.splitlines()[3:] == [note]
    assert said(capsys, monkeypatch, *arguments)[1] == out
    _, out, err = said(capsys, monkeypatch, *arguments, "--format", "json")
    assert len(json.loads(out)) == 3
    assert note in err


def test_paths_are_taken_in_turn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same path goes to the same backend each time."""
    arguments = ("--algorithm", "hash", "-n", "4", "--path", "/a", "--path", "/b", "--format", "json")
    found = json.loads(said(capsys, monkeypatch, *arguments)[1])
    assert [each["port"] for each in found[:2]] == [each["port"] for each in found[2:]]
    assert found[1]["why"].startswith("/b hashes to ")


def test_what_nginx_would_refuse_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence with its remedy."""
    code, out, err = said(capsys, monkeypatch, "--algorithm", "hash", "--backups", "1")
    assert (code, out) == (2, "")
    assert err.startswith("lablb: nginx refuses backups with hash:")


def test_a_single_backend_is_no_matter_of_chance(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no odds are told."""
    _, out, _ = said(capsys, monkeypatch, "--algorithm", "random", "--backends", "1", "-n", "1")
    assert out == "1  8391  it is the only one\n"


def test_only_what_counts_is_offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails here, and no nginx is asked; yet what `lablb run` was given can be given."""
    _, out, _ = said(capsys, monkeypatch, "--help")
    offered = set(re.findall(r"--[a-z-]+", out))
    read = {"algorithm", "backends", "weights", "backups", "service-time", "port", "base-port", "nginx-workers"}
    assert {f"--{name}" for name in read} <= offered
    assert not offered & {"--restart", "--keep-root", "--capacity", "--next-upstream", "--nginx", "--max-fails"}
    code, out, err = said(capsys, monkeypatch, "--restart", "--nginx", "system", "--max-fails", "3", "-n", "1")
    assert (code, err) == (0, "")
    assert out.startswith("1  8391  ")
