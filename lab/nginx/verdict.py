"""What nginx makes of an attempt: another try, a failure on the backend's account, and the rule that says so.

From `ngx_http_upstream_next` and `ngx_http_upstream_test_next` (ngx_http_upstream.c).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.logs.access_log import LogLine
from lab.nginx.render import Upstream
from lab.witnesses import Attempt, RequestView

NON_IDEMPOTENT = ("POST", "LOCK", "PATCH")
"""What isn't sent twice unless `non_idempotent` is listed."""
COUNTED_STATUSES = (500, 502, 503, 504, 429)
"""Answers that count as failures when they have nginx try another backend."""
UNCOUNTED_STATUSES = (403, 404)
"""Answers that can have nginx try another backend, and never count as failures."""
GATEWAY_TIMEOUT = 504
CLIENT_ERROR = 400

_COUNTS = "it counts as a failure"


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt, with all that bears on what nginx makes of it."""

    attempt: Attempt
    method: str
    rules: tuple[str, ...]
    """In force when it was made: words of `proxy_next_upstream`."""
    is_followed: bool = False
    """Whether nginx tried another backend after it."""
    is_only: bool = False
    """Whether it was made on an only backend: nginx counts no failures of those."""
    has_more: bool = True
    """Whether another backend was left that the request hadn't tried."""
    is_cut: bool = False
    """Whether the response broke off in its body."""

    @property
    def is_failure(self) -> bool:
        """Whether nginx counts it against the backend."""
        attempt = self.attempt
        if self.is_only or attempt.port is None:
            return False
        if attempt.is_answer:
            is_listed = f"http_{attempt.status}" in self.rules
            return self.is_followed and is_listed and attempt.status in COUNTED_STATUSES
        return attempt.status is not None

    @property
    def reason(self) -> str:
        """What nginx made of it and why, in a sentence without its full stop."""
        attempt = self.attempt
        if attempt.port is None:
            return "no live backend was left: nginx answers itself"
        if attempt.is_answer:
            return _of_answer(self)
        if attempt.status is None:
            return "the client had gone before the answer: no failure to nginx"
        return _of_fault(self)

    @property
    def is_barred(self) -> bool:
        """Whether the request can't be sent again for its method's sake; one that was never sent can."""
        return self.method in NON_IDEMPOTENT and self.attempt.bytes_sent != 0 and "non_idempotent" not in self.rules


def cases_of(request: LogLine | RequestView, upstream: Upstream) -> Iterator[Case]:
    """Each attempt of a request, in order, under what was balanced then."""
    last = len(request.attempts) - 1
    tries = sum(not spec.is_down for _, spec in upstream.backends)
    for place, attempt in enumerate(request.attempts):
        yield Case(
            attempt,
            request.method,
            upstream.retry_rules,
            is_followed=place < last,
            is_only=len(upstream.backends) == 1,
            has_more=place + 1 < tries,
            is_cut=request.is_cut and place == last,
        )


def _of_answer(case: Case) -> str:
    status = case.attempt.status
    word = f"http_{status}"
    if case.is_followed and word in case.rules:
        counts = _COUNTS if case.is_failure else "it is never a failure"
        return f"{status}: `{word}` has nginx try another backend; {counts}"
    if case.is_cut:
        return "cut off in the body: too late for another try, and no failure to nginx"
    if status is None or status < CLIENT_ERROR:
        return f"answered {status}"
    if status not in COUNTED_STATUSES + UNCOUNTED_STATUSES:
        return f"{status} is passed on: no rule is about it, and it is no failure to nginx"
    if word not in case.rules:
        why = f"`{word}` isn't listed"
    elif case.is_barred:
        why = _barred(case)
    else:
        why = "no other backend was left to try"
    return f"{status} is passed on: {why}, and so it is no failure to nginx"


def _of_fault(case: Case) -> str:
    fault, words = _fault(case)
    listed = [word for word in words if word in case.rules]
    counts = _COUNTS if case.is_failure else "nginx counts no failures of an only backend"
    if case.is_followed and case.is_only:
        why = "its kept connection had died, so nginx tries once more"
    elif case.is_followed:
        why = f"{_either(listed or words)} has nginx try another backend"
    elif case.is_only:
        why = "there is no other backend to try"
    elif case.is_barred:
        why = _barred(case)
    elif not listed:
        why = f"{_either(words)} isn't listed, so no other backend is tried"
    else:
        why = "no other backend was left to try"
    return f"{fault}: {why}; {counts}"


def _fault(case: Case) -> tuple[str, tuple[str, ...]]:
    """What went wrong, and the words that it may fall under."""
    attempt = case.attempt
    if attempt.status == GATEWAY_TIMEOUT:
        return ("no connection in time" if attempt.bytes_sent == 0 else "no answer in time"), ("timeout",)
    if attempt.bytes_sent == 0:
        return "refused", ("error",)
    if not attempt.bytes_received:
        return "closed before the header", ("error",)
    stays = not case.is_followed and case.has_more and not case.is_barred
    if stays and "error" in case.rules:
        return "invalid header", ("invalid_header",)
    if stays and "invalid_header" in case.rules:
        return "broken off in the header", ("error",)
    return "broken off in the header, or an invalid one", ("error", "invalid_header")


def _barred(case: Case) -> str:
    return f"a {case.method} isn't sent twice unless `non_idempotent` is listed"


def _either(words: tuple[str, ...] | list[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)
