"""Which way imports point."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LAB = sorted((ROOT / "lab").rglob("*.py"))
TUI = sorted((ROOT / "tui").rglob("*.py"))
PUBLIC_FACE = {
    "lab.comparison.result",
    "lab.comparison.scenarios",
    "lab.comparison.standing",
    "lab.control",
    "lab.inert",
    "lab.counts.latency",
    "lab.counts.ledger",
    "lab.models",
    "lab.witnesses",
    "lab.config",
    "lab.errors",
    "lab.algorithms",
    "lab.nginx.belief",
    "lab.faults.fault",
    "lab.counts.noise",
    "lab.nginx.retry_rules",
    "lab.states",
    "lab.xray.view",
}
"""What the dashboard may know of the engine."""


class Import(NamedTuple):
    """One name that a file imports."""

    importer: str
    """The importing file's module."""
    module: str
    """`lab.models` in `from lab.models import Snapshot`."""
    name: str
    """`Snapshot` in `from lab.models import Snapshot`; empty in `import lab.models`."""
    is_lazy: bool
    """Inside a function, and so not made when the file is imported."""

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    lazy = {inner for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module_of(path), alias.name, "", node in lazy)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import, which this test can't follow"
            for alias in node.names:
                yield Import(module_of(path), node.module or "", alias.name, node in lazy)


def all_imports(paths: list[Path]) -> list[Import]:
    return [each for path in paths for each in imports_of(path)]


def test_there_is_something_to_look_at() -> None:
    """A test over no files would hold whatever they say."""
    assert ROOT / "lab" / "session.py" in LAB
    assert len(all_imports(LAB)) > 100


def test_the_engine_imports_no_user_interface() -> None:
    """Neither Textual nor Rich, not even inside a function."""
    assert [each for each in all_imports(LAB) if each.package in {"textual", "rich"}] == []


def test_only_the_command_line_imports_the_dashboard_and_only_when_it_is_wanted() -> None:
    """Importing Textual takes a third of a second, which `lablb run` must not pay."""
    found = [each for each in all_imports(LAB) if each.package == "tui"]
    assert {each.importer for each in found} <= {"lab.cli"}
    assert all(each.is_lazy for each in found)


@pytest.mark.skipif(not TUI, reason="there is no dashboard yet")
def test_the_dashboard_knows_the_engines_public_face_only() -> None:
    """It can be shown any lab that keeps the protocol, a fake one included."""
    strangers = [
        each
        for each in all_imports(TUI)
        if each.package == "lab" and each.module not in PUBLIC_FACE and f"{each.module}.{each.name}" not in PUBLIC_FACE
    ]
    assert [each for each in strangers if (each.module, each.name) != ("lab", "__version__")] == []


@pytest.mark.parametrize("paths", [LAB, TUI], ids=["lab", "tui"])
def test_nobody_imports_what_another_module_keeps_private(paths: list[Path]) -> None:
    """A name with an underscore belongs to its own file."""
    private = [
        each
        for each in all_imports(paths)
        for part in (*each.module.split("."), each.name)
        if part.startswith("_") and not part.endswith("__")
    ]
    assert private == []


def test_foundations_import_nothing_above_them() -> None:
    """errors and states stand on nothing, models on facts like themselves, algorithms on errors, config on those."""
    facts = {
        "lab.nginx.belief",
        "lab.counts.latency",
        "lab.counts.ledger",
        "lab.counts.noise",
        "lab.witnesses",
        "lab.xray.view",
    }
    allowed: dict[str, set[str]] = {
        **{fact: set[str]() for fact in facts},
        "lab.states": set(),
        "lab.models": facts | {"lab.states"},
        "lab.errors": set(),
        "lab.algorithms": {"lab.errors"},
        "lab.durations": set(),
        "lab.inert": set(),
        "lab.faults.fault": {"lab.errors"},
        "lab.faults.plan": {"lab.durations", "lab.errors", "lab.faults.fault"},
        "lab.nginx.retry_rules": {"lab.errors"},
        "lab.backends.workload": set(),
        "lab.machine.loopback": set(),
        "lab.backends.behaviour": {"lab.durations", "lab.errors", "lab.backends.workload"},
        "lab.traffic.plan": {"lab.durations", "lab.errors"},
        "lab.config": {
            "lab.algorithms",
            "lab.backends.behaviour",
            "lab.durations",
            "lab.errors",
            "lab.faults.plan",
            "lab.machine.loopback",
            "lab.nginx.retry_rules",
            "lab.traffic.plan",
        },
    }
    for module, below in allowed.items():
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert {each.module for each in imports_of(path) if each.package == "lab"} <= below


def test_the_command_line_starts_without_the_dashboards_libraries() -> None:
    """Asked of a real interpreter: nothing that lab.cli needs brings Textual in by a side door."""
    code = "import lab.cli, sys; print(*sorted({'textual', 'rich', 'tui'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
