"""When nginx tries another backend: the words of `proxy_next_upstream` (ngx_http_proxy_module)."""

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
