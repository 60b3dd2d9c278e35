"""Writes nginx's files from the templates, and compares them with those before."""

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lab.algorithms import algorithm_named
from lab.config import BackendSpec
from lab.models import DiffLine
from lab.nginx.binary import NginxBinary
from lab.private_files import write_all
from lab.privileges import worker_account
from lab.retry_rules import DEFAULT_RETRY_RULES, directive_words
from lab.runtime import base_folder

if TYPE_CHECKING:
    import jinja2

SITE = "lablb.conf"


@dataclass(frozen=True, slots=True)
class Upstream:
    """What nginx is to balance, and how: everything that can change while the lab runs."""

    algorithm: str
    backends: tuple[tuple[int, BackendSpec], ...]
    """Port and `server` line of each."""
    retry_rules: tuple[str, ...] = DEFAULT_RETRY_RULES
    """What has nginx try another backend: words of `proxy_next_upstream`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays as it is while the lab runs."""

    port: int
    workers: int
    read_timeout_ms: int
    """How long a backend may be silent before nginx tries the next."""
    keeps_root: bool = False
    """Whether the workers of an nginx that root started stay root."""


@dataclass(frozen=True, slots=True)
class NginxFiles:
    """The text of nginx.conf and of the one site."""

    main: str
    site: str

    def write(self, folder: Path) -> None:
        """Write them into `folder` the article's way: the site in sites-available, a link to it in sites-enabled.

        Raises:
            OSError: the disk refuses; what was there before is still there.
        """
        available, enabled = folder / "sites-available" / SITE, folder / "sites-enabled" / SITE
        for path in (available, enabled):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        write_all({folder / "nginx.conf": self.main, available: self.site})
        if enabled.is_symlink():
            return
        try:
            enabled.symlink_to(Path("..") / "sites-available" / SITE)
        except OSError:  # Windows refuses links without a privilege
            write_all({enabled: self.site})


def render(binary: NginxBinary, frame: Frame, upstream: Upstream, generation: int) -> NginxFiles:
    """The files for this binary; `generation` is logged with each request, so that it is known which one served it."""
    main = _template("nginx.conf").render(
        features=binary.features,
        workers=frame.workers,
        generation=generation,
        account=worker_account(base_folder(), keeps_root=frame.keeps_root),
    )
    site = _template(f"sites-available/{SITE}").render(
        directive=algorithm_named(upstream.algorithm).directive,
        servers=[(port, _parameters(spec)) for port, spec in upstream.backends],
        port=frame.port,
        read_timeout_ms=frame.read_timeout_ms,
        next_upstream=directive_words(upstream.retry_rules),
    )
    return NginxFiles(main, site)


def compare(before: str, after: str) -> tuple[DiffLine, ...]:
    """`after` line by line, with what came (`+`) and what went (`-`)."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return tuple(DiffLine(line[0], line[2:]) for line in lines if line[0] != "?")


def _parameters(spec: BackendSpec) -> str:
    """What follows the address in a `server` line; nginx's defaults are left out."""
    default = BackendSpec()
    words = []
    if spec.weight != default.weight:
        words.append(f"weight={spec.weight}")
    if spec.max_fails != default.max_fails:
        words.append(f"max_fails={spec.max_fails}")
    if spec.fail_timeout_seconds != default.fail_timeout_seconds:
        words.append(f"fail_timeout={spec.fail_timeout_seconds}s")
    if spec.is_backup:
        words.append("backup")
    if spec.is_down:
        words.append("down")
    return "".join(f" {word}" for word in words)


@cache
def _template(name: str) -> "jinja2.Template":
    import jinja2  # noqa: PLC0415 - takes 40 ms, and the backends can be on their way meanwhile

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - nginx's syntax, not HTML; every value in it is an int or of our own catalogue
    )
    source = resources.files("nginx_templates").joinpath(name).read_text(encoding="utf-8")
    return environment.from_string(source)
