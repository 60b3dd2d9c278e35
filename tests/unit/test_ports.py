"""Which ports a lab gets, and what a person is told when it gets none."""

import errno
import os
import socket

import psutil
import pytest

from lab.config import BackendSpec, LabConfig
from lab.errors import LabError, NotReadyError
from lab.machine.loopback import HOST
from lab.machine.ports import Ports, choose_ports, free_row, is_allowed, next_free_port, obstacles, require_free


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports below 1024 aren't allowed; all others are free."""

    def answer(port: int) -> OSError | None:
        return PermissionError(errno.EACCES, "Permission denied") if port < 1024 else None

    monkeypatch.setattr("lab.machine.ports._bind_error", answer)


@pytest.fixture
def privileged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every port is allowed and free."""
    monkeypatch.setattr("lab.machine.ports._bind_error", lambda port: None)


@pytest.mark.usefixtures("privileged")
def test_a_lab_gets_the_articles_ports_where_they_are_allowed() -> None:
    """70 and 71 to 75, without a word."""
    assert choose_ports(LabConfig()) == Ports(70, (71, 72, 73, 74, 75))


@pytest.mark.usefixtures("unprivileged")
def test_a_lab_moves_where_the_articles_ports_arent_allowed() -> None:
    """8070 and 8071 on, with a notice that says so and how to have 70."""
    ports = choose_ports(LabConfig())
    assert (ports.nginx, ports.backends) == (8070, (8071, 8072, 8073, 8074, 8075))
    assert ports.notice is not None
    assert "8070" in ports.notice
    assert "8071" in ports.notice


@pytest.mark.usefixtures("unprivileged")
def test_the_notice_has_the_command_that_would_allow_port_70(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux it is the sysctl, to the letter."""
    monkeypatch.setattr("sys.platform", "linux")
    assert (choose_ports(LabConfig()).notice or "").endswith("sudo sysctl net.ipv4.ip_unprivileged_port_start=70")


@pytest.mark.usefixtures("unprivileged")
def test_only_what_isnt_allowed_moves() -> None:
    """A port that was asked for stays, and the other one moves."""
    ports = choose_ports(LabConfig(port=9000))
    assert (ports.nginx, ports.backends[0]) == (9000, 8071)
    ports = choose_ports(LabConfig(base_port=9001))
    assert (ports.nginx, ports.backends[0]) == (8070, 9001)
    ports = choose_ports(LabConfig(port=9000, base_port=9001))
    assert ports == Ports(9000, (9001, 9002, 9003, 9004, 9005))


@pytest.mark.usefixtures("unprivileged")
@pytest.mark.parametrize("config", [LabConfig(port=80), LabConfig(base_port=1020)], ids=["port", "base port"])
def test_a_port_that_was_asked_for_and_isnt_allowed_is_an_error(config: LabConfig) -> None:
    """The lab doesn't move from where somebody wanted it; the sentence says what would allow the port."""
    with pytest.raises(NotReadyError, match=r"^Port (80|1020) isn't allowed for this user: .*(80|1020|sudo lablb)$"):
        choose_ports(config)


@pytest.mark.usefixtures("unprivileged")
@pytest.mark.parametrize("config", [LabConfig(port=8073), LabConfig(base_port=8068)], ids=["port", "base port"])
def test_moving_onto_a_port_that_was_asked_for_is_refused(config: LabConfig) -> None:
    """nginx and a backend can't share a port, whoever chose it."""
    with pytest.raises(NotReadyError, match="would serve nginx and a backend both"):
        choose_ports(config)


def test_a_busy_port_is_an_error_that_names_who_holds_it() -> None:
    """Name and PID of the process, and the option that would choose another port."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        holder = f"{psutil.Process().name()} (PID {os.getpid()})"
        with pytest.raises(NotReadyError) as refusal:
            require_free(Ports(port, ()))
        assert str(refusal.value) == f"Port {port} is taken by {holder}: end that, or give another --port."


def test_a_busy_port_of_a_backend_is_mended_by_another_option() -> None:
    """The backends' ports come from --base-port."""
    with socket.create_server((HOST, 0)) as server, socket.socket() as free:
        free.bind((HOST, 0))
        nginx = free.getsockname()[1]
        free.close()
        with pytest.raises(NotReadyError, match=r"give another --base-port\.$"):
            require_free(Ports(nginx, (server.getsockname()[1],)))


def test_a_port_taken_on_all_interfaces_is_busy_too() -> None:
    """A server at 0.0.0.0 would get in the way as much as one at 127.0.0.1."""
    with socket.create_server(("0.0.0.0", 0)) as server, pytest.raises(NotReadyError, match=str(os.getpid())):
        require_free(Ports(server.getsockname()[1], ()))


@pytest.fixture
def only_own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's table of connections is root's alone, as macOS has it."""

    def refuse(kind: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)


@pytest.mark.usefixtures("only_own_processes")
def test_a_holder_is_found_among_ones_own_processes() -> None:
    """Where a user may ask about no other ones."""
    with socket.create_server((HOST, 0)) as server, pytest.raises(NotReadyError, match=rf"\(PID {os.getpid()}\)"):
        require_free(Ports(server.getsockname()[1], ()))


@pytest.mark.usefixtures("only_own_processes")
def test_a_holder_that_may_not_be_known_is_another_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is none of one's own, and all others keep silent."""

    def refuse(process: psutil.Process, kind: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", refuse)
    with socket.create_server((HOST, 0)) as server, pytest.raises(NotReadyError, match="a process of another user"):
        require_free(Ports(server.getsockname()[1], ()))


def test_ports_of_a_server_that_has_ended_are_free_at_once() -> None:
    """Connections that linger in TIME_WAIT don't count, or a lab couldn't follow another on the same ports."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)), server.accept()[0] as accepted:
            accepted.shutdown(socket.SHUT_RDWR)
    require_free(Ports(port, ()))


def test_a_busy_port_is_allowed_all_the_same() -> None:
    """Busy and forbidden are different faults with different remedies."""
    with socket.create_server((HOST, 0)) as server:
        assert is_allowed(server.getsockname()[1])


@pytest.mark.usefixtures("privileged")
def test_there_is_a_port_for_each_backend() -> None:
    """They follow each other from the base port on."""
    ports = choose_ports(LabConfig(backends=(BackendSpec(),) * 3, base_port=9001))
    assert ports.backends == (9001, 9002, 9003)


def test_a_further_backend_gets_the_next_port_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that somebody listens on nor nginx's."""
    busy = {76, 77}
    monkeypatch.setattr("lab.machine.ports._bind_error", lambda port: OSError() if port in busy else None)
    assert next_free_port(74, taken=()) == 75
    assert next_free_port(75, taken={78}) == 79


def test_where_no_port_is_free_the_sentence_says_which_were_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports end at 65535."""
    monkeypatch.setattr("lab.machine.ports._bind_error", lambda port: OSError())
    with pytest.raises(LabError, match="no free port from 76 to 175 for one more backend"):
        next_free_port(75, taken=())
    with pytest.raises(LabError, match="no free port from 65501 to 65535"):
        next_free_port(65500, taken=())


def test_a_row_of_free_ports_has_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins behind the last port that is taken."""
    taken = {8070, 8072, 8075}
    monkeypatch.setattr("lab.machine.ports._bind_error", lambda port: OSError("taken") if port in taken else None)
    assert free_row(8069, 1) == 8071
    assert free_row(8069, 2) == 8073
    assert free_row(8069, 6) == 8076
    assert free_row(8080, 6) == 8081


def test_no_row_of_free_ports_is_an_error_that_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than a search without end, or beyond the last port there is."""
    monkeypatch.setattr("lab.machine.ports._bind_error", lambda port: OSError("taken") if port % 3 == 0 else None)
    with pytest.raises(LabError, match="no 3 free ports in a row from 8070 to 9069"):
        free_row(8069, 3)
    with pytest.raises(LabError, match="to 65535"):
        free_row(65534, 3)


def test_each_port_that_is_busy_is_told() -> None:
    """So that whoever frees one doesn't meet the next."""
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
        sentences = list(obstacles(Ports(ports[0], ports[1:])))
    assert [sentence.split(" is taken")[0] for sentence in sentences] == [f"Port {port}" for port in ports]
    assert sentences[1].endswith("end that, or give another --base-port.")
