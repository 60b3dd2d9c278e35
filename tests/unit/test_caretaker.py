"""What is told of nginx's complaints."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lab.caretaker import Caretaker
from lab.notices import MOST_NOTICES, Notices


def test_however_many_workers_die_the_death_of_nginx_is_told(tmp_path: Path) -> None:
    """It starts another worker each time, and so they have no room among the deaths that somebody must see to."""
    path = tmp_path / "error.log"
    deaths = [f"2026/01/01 00:00:00 [alert] 12#12: worker process {pid} exited on signal 11\n" for pid in range(500)]
    path.write_text("".join(deaths))
    server: Any = SimpleNamespace(error_log=path)
    balancer: Any = SimpleNamespace(server=server)
    driver: Any = SimpleNamespace()
    observer: Any = None
    notices = Notices()
    caretaker = Caretaker(balancer, observer, driver, notices)
    caretaker._read_errors()
    assert len(notices.told) == MOST_NOTICES + 1
    assert notices.told[0].startswith("nginx's worker (PID 0) has ")
    server.on_death(12, -9)
    assert notices.told[-1].startswith("nginx (PID 12) has ")
    caretaker.close()
