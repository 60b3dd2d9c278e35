"""What each word of `proxy_next_upstream` means (nginx.org/en/docs/http/ngx_http_proxy_module.html)."""

from collections.abc import Iterable

from lab.nginx.retry_rules import OFF, in_order

MEANINGS = {
    "error": "no connection, or it broke off before the header",
    "timeout": "no connection, or no byte more, within the time-out",
    "invalid_header": "it sent nothing, or what is no HTTP",
    "http_500": "it answered 500; once listed, that is a failure, too",
    "http_502": "it answered 502; likewise",
    "http_503": "it answered 503; likewise",
    "http_504": "it answered 504; likewise",
    "http_403": "it answered 403; never a failure",
    "http_404": "it answered 404; never a failure",
    "http_429": "it answered 429; once listed, that is a failure, too",
    "non_idempotent": "POST, LOCK and PATCH may be sent twice, too",
}
ALWAYS_COUNTED = "error, timeout, invalid_header are failures of the backend, listed or not."


def directive(rules: Iterable[str]) -> str:
    """The line of nginx's configuration."""
    return f"proxy_next_upstream {' '.join(in_order(rules)) or OFF};"
