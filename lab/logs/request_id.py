"""Tells the IDs that nginx gives its requests from what somebody else may send in the same header."""

import re

REQUEST_ID = "X-Request-Id"
"""nginx sets it, whatever its client has sent."""
_FORM = r"[0-9a-f]{32}"
"""Of `$request_id`: `ngx_http_variable_request_id` writes sixteen random bytes in lower case."""
_ID = re.compile(_FORM)
_LINE = re.compile(rf"\n(?i:{REQUEST_ID}):[ \t]*{_FORM}[ \t]*\r?\n".encode())


def is_nginxs(request_id: str) -> bool:
    """Whether it has the form of nginx's own."""
    return _ID.fullmatch(request_id) is not None


def has_nginxs(head: bytes) -> bool:
    """Whether a request's head, which may be no HTTP, has an ID of that form."""
    return _LINE.search(head) is not None
