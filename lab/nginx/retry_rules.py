"""When nginx tries another backend: the words of `proxy_next_upstream` (ngx_http_proxy_module)."""

from collections.abc import Iterable

from lab.errors import UsageError

RETRY_RULES = (
    "error",
    "timeout",
    "invalid_header",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "non_idempotent",
)
"""In the order in which they are written. `off` is none of them."""
DEFAULT_RETRY_RULES = ("error", "timeout")
"""nginx's own default."""
OFF = "off"
"""nginx's word for none of them."""


def in_order(words: Iterable[str]) -> tuple[str, ...]:
    """The words once each, in the order in which they are written.

    Raises:
        UsageError: nginx has no such word.
    """
    given = tuple(words)
    if unknown := [word for word in given if word not in RETRY_RULES]:
        known = ", ".join(RETRY_RULES)
        raise UsageError(f"nginx has no retry rule {unknown[0]!r}: choose from {known}, or {OFF} alone.")
    return tuple(word for word in RETRY_RULES if word in given)


def directive_words(rules: tuple[str, ...]) -> str | None:
    """What `proxy_next_upstream` is given; None where nginx's default is meant, which needn't be written."""
    return None if rules == DEFAULT_RETRY_RULES else " ".join(rules) or OFF
