"""Who nginx's workers become."""

import os
from pathlib import Path

import pytest

from lab.machine.privileges import backend_user, worker_account

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no root")


def test_workers_of_an_ordinary_user_stay_that_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no right to give up."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert worker_account(Path("/")) is None


def test_workers_of_root_become_nobody_where_nobody_can_reach_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a folder that is closed to others they couldn't write a body or reopen a log."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    account = worker_account(Path("/"))
    assert account is not None
    assert account.user == "nobody"
    tmp_path.chmod(0o700)
    account = worker_account(tmp_path)
    assert account is not None
    assert account.uid == 0


def test_backends_of_root_become_nobody_unless_root_is_to_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need no file once they run, so that the folder doesn't matter."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert backend_user(keeps_root=False) == "nobody"
    assert backend_user(keeps_root=True) is None
    account = worker_account(Path("/"), keeps_root=True)
    assert account is not None
    assert account.uid == 0
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert backend_user(keeps_root=False) is None
