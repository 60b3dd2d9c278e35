"""What client, nginx and backends saw of one request, in words: pure, so that it can be tested line by line."""

from collections.abc import Iterator

from lab.inert import inert
from lab.witnesses import Attempt, BackendWitness, ClientWitness, NginxWitness, RequestDetail
from tui.formatting import exact_duration, time_of_day, whole_milliseconds, wrap
from tui.ink import BLANK, Ink, Line
from tui.request_text import status_ink

_GATEWAY_TIMEOUT, _CLIENT_GONE = 504, 499
_LATE_SECONDS = 0.010
_LABEL_WIDTH = 12


def story(detail: RequestDetail) -> str:
    """What became of the request, in a sentence or two."""
    nginx, client = detail.nginx, detail.client
    sentences = [_way(nginx, {witness.port for witness in detail.backends})]
    if nginx.status == _CLIENT_GONE:
        sentences.append("The client was gone before the answer.")
    if client is not None and client.error is not None:
        sentences.append(f"The client got no complete answer: {client.error}.")
    if client is not None and client.sent - client.due > _LATE_SECONDS:
        waited = exact_duration(client.sent - client.due)
        sentences.append(f"It was sent {waited} late, for want of a free connection.")
    return inert(" ".join(sentences))


def _way(nginx: NginxWitness, heard: set[int | None]) -> str:
    attempts = nginx.attempts
    if not attempts:
        return f"nginx answered {nginx.status} itself, without asking a backend."
    told = [_told(attempt, reason, heard) for attempt, reason in _with_reasons(nginx)]
    verb = "tried " if len(attempts) > 1 or not attempts[0].is_answer else "sent it to "
    if attempts[0].port is None:
        verb = ""
    end = "" if attempts[-1].is_answer else f"; it answered {nginx.status} itself"
    why = [
        f" {name_of(attempt)}: {reason}"
        for attempt, reason in _with_reasons(nginx)
        if reason and not attempt.is_answer and attempt.port is not None
    ]
    return f"nginx {verb}{', then '.join(told)}{end}.{''.join(why)}"


def _told(attempt: Attempt, reason: str, heard: set[int | None]) -> str:
    if attempt.port is None:
        return "found no live backend"
    return f"{attempt.port}, which {'failed' if reason and not attempt.is_answer else _deed(attempt, heard)}"


def _with_reasons(nginx: NginxWitness) -> Iterator[tuple[Attempt, str]]:
    """Each attempt with why nginx went on or stopped after it; empty where that isn't known."""
    reasons = (*nginx.reasons, *[""] * len(nginx.attempts))
    return zip(nginx.attempts, reasons, strict=False)


def _deed(attempt: Attempt, heard: set[int | None]) -> str:
    if attempt.header_seconds is not None:
        return f"answered {attempt.status} in {whole_milliseconds(attempt.header_seconds)}"
    if attempt.status == _GATEWAY_TIMEOUT:
        return "did not answer in time"
    return "took it and broke off" if attempt.port in heard else "refused or died"


def name_of(attempt: Attempt) -> str:
    """The backend's port; nginx logs the upstream's own name when no backend was left."""
    return "no live backend" if attempt.port is None else str(attempt.port)


def client_lines(detail: RequestDetail, width: int) -> list[Line]:
    """What the lab's client saw."""
    client = detail.client
    title: Line = (("What the client saw", Ink.HEADING),)
    if client is None:
        who = detail.view.client
        reason = "It was sent too long ago." if who is None else f"It is not the lab's own client, but {who}."
        return [title, *_wrapped(reason, width, Ink.MUTED)]
    lines = [title, *_client_times(client)]
    if client.status is not None:
        lines.append(_fact("status", str(client.status), status_ink(client.status)))
    if client.error is not None:
        lines += _wrapped(f"✗ {client.error}", width, Ink.BAD)
    if client.is_resent:
        lines += _wrapped("Sent again on a new connection: the kept-alive one had been closed.", width, Ink.WARNING)
    lines.append(BLANK)
    for name, value in client.headers:
        lines += _wrapped(f"{name}: {value}", width, Ink.MUTED)
    lines.append(BLANK)
    for text in client.body.splitlines():
        lines += _wrapped(text, width, Ink.PLAIN)
    return lines


def _client_times(client: ClientWitness) -> list[Line]:
    lines = [_fact("due", time_of_day(client.due, timespec="microseconds"))]
    lines.append(_fact("sent", f"+ {exact_duration(client.sent - client.due)}"))
    reached = client.sent
    if client.first_byte is not None:
        lines.append(_fact("first byte", f"+ {exact_duration(client.first_byte - reached)}"))
        reached = client.first_byte
    lines.append(_fact("done", f"+ {exact_duration(client.done - reached)}"))
    lines.append(_fact("in all", exact_duration(client.done - client.due), Ink.STRONG))
    return lines


def nginx_lines(detail: RequestDetail, width: int) -> list[Line]:
    """What nginx logged: each backend that it tried, and the whole."""
    nginx = detail.nginx
    lines: list[Line] = [(("What nginx logged", Ink.HEADING),)]
    lines.append(_fact("logged", time_of_day(nginx.logged)))
    for place, (attempt, reason) in enumerate(_with_reasons(nginx), start=1):
        ink = Ink.GOOD if attempt.is_answer else Ink.BAD
        status = "no status" if attempt.status is None else str(attempt.status)
        took = "" if attempt.header_seconds is None else f" in {whole_milliseconds(attempt.header_seconds)}"
        text = f"{name_of(attempt)} {'✓' if attempt.is_answer else '✗'} {status}{took}"
        lines.append(_fact(f"try {place}", text, ink))
        if reason:
            indent = " " * (_LABEL_WIDTH + 2)
            why = wrap(reason, max(width - len(indent), 2))
            lines += [((indent, Ink.PLAIN), (line, Ink.MUTED)) for line in why]
    lines += [
        _fact("status", str(nginx.status), status_ink(nginx.status)),
        _fact("in all", whole_milliseconds(nginx.seconds), Ink.STRONG),
        _fact("worker", f"pid {nginx.worker_pid}"),
        _fact("config", f"number {nginx.generation}"),
        BLANK,
        *_wrapped("nginx's clock ticks in whole milliseconds.", width, Ink.MUTED),
    ]
    return lines


def backend_lines(detail: RequestDetail, width: int) -> list[Line]:
    """What each backend saw; those that say nothing are named."""
    lines: list[Line] = [(("What the backends saw", Ink.HEADING),)]
    for witness in detail.backends:
        lines += [*_backend_facts(witness), BLANK]
    heard = {witness.port for witness in detail.backends}
    silent = dict.fromkeys(attempt.port for attempt in detail.nginx.attempts if attempt.port not in heard)
    for port in silent:
        if port is not None:
            lines += _wrapped(
                f"{port} tells nothing: it never saw it, or has died or forgotten since.", width, Ink.MUTED
            )
    if len(lines) == 1:
        lines += _wrapped("None was asked.", width, Ink.MUTED)
    return lines


def _backend_facts(witness: BackendWitness) -> list[Line]:
    before = witness.in_flight - 1
    in_flight = "alone" if before <= 0 else f"with {before} other{'s' if before > 1 else ''}"
    took = "not answered" if witness.done is None else f"+ {exact_duration(witness.done - witness.arrived)}"
    return [
        _fact(f"{witness.port}", f"pid {witness.pid}", Ink.STRONG),
        _fact("arrived", time_of_day(witness.arrived, timespec="microseconds")),
        _fact("in flight", f"{witness.in_flight}, {in_flight}"),
        _fact("done", took, Ink.WARNING if witness.done is None else Ink.PLAIN),
    ]


def _fact(label: str, value: str, ink: Ink = Ink.PLAIN) -> Line:
    return ((f"  {label:<{_LABEL_WIDTH}}", Ink.MUTED), (value, ink))


def _wrapped(text: str, width: int, ink: Ink) -> list[Line]:
    return [(("  ", Ink.PLAIN), (line, ink)) for line in wrap(text, max(width - 2, 2))]
