"""The built wheel, outside the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.conftest import Place

ROOT = Path(__file__).parents[2]
BIN = "Scripts" if sys.platform == "win32" else "bin"


def done(*command: str | Path, seconds: float = 170.0) -> str:
    """What a command printed; it has to succeed."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.timeout(240)
def test_the_wheel_works_in_a_new_environment(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates and styles are inside, and `lablb run -n 50` runs where there is no checkout."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    done(sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("lablb-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for package, pattern in (("nginx_templates", "*.conf"), ("tui", "*.tcss"), ("lab", "*.py")):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob(pattern)}
        assert files - names == set()
    assert not [name for name in names if name.startswith(("tests/", "screenshots/"))]
    environment = tmp_path / "environment"
    done(sys.executable, "-m", "venv", environment)
    python = environment / BIN / "python"
    done(python, *pip, "install", wheel)
    assert not done(python, "-c", "import lab; print(lab.__file__)").startswith(str(ROOT) + os.sep)
    report = json.loads(done(environment / BIN / "lablb", "run", "-n", "50", "--format", "json", *place.port_options))
    assert [backend["hits"] for backend in report["backends"]] == [10] * 5
    assert report["requests"]["failed"] == 0
    assert report["ledger"]["balanced"] is True
    assert done(environment / BIN / "lablb", "config", *place.port_options).startswith("# ---- nginx.conf")
