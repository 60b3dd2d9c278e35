"""The command in this process, with a lab that doesn't run; and a clock of its own for what fires."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.cli import main
from lab.commandline.report import Report
from lab.config import LabConfig
from lab.counts.ledger import Ledger
from lab.machine.ports import Ports
from lab.models import BackendView, NginxView, TrafficView
from lab.states import BackendState
from lab.traffic.plan import TrafficSpec
from tests.unit.clock import virtual_seconds

REPORT = Report(
    algorithm="round_robin",
    nginx=NginxView("1.31.3", "bundled", 70),
    nginx_path="/opt/nginx",
    workers=1,
    plan=TrafficSpec(rate_rps=20),
    traffic=TrafficView(target_rps=20.0, sent=1, answered=1),
    backends=(BackendView(71, BackendState.UP, 2752),),
    ledger=Ledger(),
    duration_seconds=1.0,
)


@dataclass
class Said:
    """What the command said, and how it ended."""

    code: int
    out: str
    err: str
    config: LabConfig | None
    """Of the lab that would have run."""

    @property
    def lab(self) -> LabConfig:
        assert self.config is not None, f"no lab was run: {self.err}"
        return self.config


Command = Callable[..., Said]


@pytest.fixture
def lablb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command in this process, with a lab that doesn't run and a user who has no configuration."""
    asked: list[LabConfig] = []

    async def run_lab(config: LabConfig, *_: Any) -> Report:
        asked.append(config)
        return REPORT

    monkeypatch.setattr("lab.commandline.run.run_lab", run_lab)
    monkeypatch.setattr("lab.cli.choose_ports", lambda config: Ports(config.preferred_ports[0], ()))
    monkeypatch.setattr("lab.cli.why_root_stays", lambda *, keeps_root: None)
    monkeypatch.setattr("lab.commandline.options.platformdirs.user_config_path", lambda name: tmp_path / "home" / name)

    def command(*arguments: str) -> Said:
        asked.clear()
        monkeypatch.setattr("sys.argv", ["lablb", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        spoken = capsys.readouterr()
        code = end.value.code
        return Said(int(code or 0), spoken.out, spoken.err, asked[0] if asked else None)

    return command


@pytest.fixture
def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gun reads the virtual loop's clock."""
    monkeypatch.setattr("lab.traffic.gun.time", SimpleNamespace(perf_counter=virtual_seconds))
