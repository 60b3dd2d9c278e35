"""A comparison on its way from one process to another, and into a file."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.comparison.saving import save
from lab.comparison.standing import Standing, pack, unpack
from lab.errors import LabError
from tests.unit.test_comparison import COMPARISON, ERRORS

MOMENT = datetime(2026, 11, 24, 2, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_standing_survives_json(is_over: bool) -> None:
    """Figures, curves and notes are what they were, tuples included."""
    runs = tuple(replace(run, errors=ERRORS) for run in COMPARISON.runs)
    standing = Standing(2, 3, "random", 12.5, replace(COMPARISON, runs=runs, verdict="It is so."), is_over)
    assert unpack(json.loads(json.dumps(pack(standing)))) == standing


def test_a_page_gets_a_name_that_says_what_and_when(tmp_path: Path) -> None:
    """It is in the folder, and is what `lablb compare --format html` writes."""
    path = save(COMPARISON, tmp_path, MOMENT)
    assert path == tmp_path / "lablb-one-slow-2026-11-24-020509.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Whatever has that name stays as it is."""
    path = tmp_path / "lablb-one-slow-2026-11-24-020509.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(LabError, match="is there already"):
        save(COMPARISON, tmp_path, MOMENT)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cant_be_written_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(LabError, match=r"gone.*can't be written \(No such file or directory\): start the lab in"):
        save(COMPARISON, tmp_path / "gone", MOMENT)
