"""Writes nginx's files from the templates, and compares them with those before."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from lab.algorithms import algorithm_named
from lab.config import BackendSpec
from lab.machine.limits import ROOMY_CONNECTIONS
from lab.machine.loopback import HOST
from lab.machine.private_files import write_all
from lab.machine.privileges import worker_account
from lab.machine.runtime import base_folder
from lab.models import DiffLine
from lab.nginx.binary import NginxBinary
from lab.nginx.retry_rules import DEFAULT_RETRY_RULES, directive_words

SITE = "lablb.conf"
_MODULES = ("fastcgi", "uwsgi", "scgi")
"""They make a folder for temporary files each, used or not."""
_STAY_FOR_A_RELOAD = (
    "keepalive_min_timeout 500ms;  # so that a reload closes no connection that a client is about to use"
)
_PLACE = re.compile(r"^(?P<indent> *)@{(?P<block>\w+)}\n|@{(?P<value>\w+)}", re.MULTILINE)
"""In a template: nginx's own variables have a `$`."""


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
    connections: int = ROOMY_CONNECTIONS
    """nginx's `worker_connections`: those to clients and to backends."""


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
    account = worker_account(base_folder(keeps_root=frame.keeps_root), keeps_root=frame.keeps_root)
    next_upstream = directive_words(upstream.retry_rules)
    directive = algorithm_named(upstream.algorithm).directive
    main = _filled(
        "nginx.conf",
        workers=frame.workers,
        connections=frame.connections,
        generation=generation,
        blocks={
            "user": [f"user {account.user} {account.group};"] if account is not None else [],
            "keepalive_min_timeout": [_STAY_FOR_A_RELOAD] if "keepalive_min_timeout" in binary.features else [],
            "module_temp_paths": [f"{each}_temp_path temp/{each};" for each in _MODULES if each in binary.features],
        },
    )
    site = _filled(
        f"sites-available/{SITE}",
        port=frame.port,
        read_timeout_ms=frame.read_timeout_ms,
        blocks={
            "method": [f"{directive};"] if directive is not None else [],
            "servers": [f"server {HOST}:{port}{_parameters(spec)};" for port, spec in upstream.backends],
            "next_upstream": [f"proxy_next_upstream {next_upstream};"] if next_upstream is not None else [],
        },
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


def _filled(name: str, *, blocks: Mapping[str, Sequence[str]], **values: int) -> str:
    """The template with its values; the line that names a block makes room for its lines, as far indented."""

    def what_belongs_here(place: re.Match[str]) -> str:
        if (block := place["block"]) is not None:
            return "".join(f"{place['indent']}{line}\n" for line in blocks[block])
        return str(values[place["value"]])

    return _PLACE.sub(what_belongs_here, _template(name))


@cache
def _template(name: str) -> str:
    return resources.files("nginx_templates").joinpath(name).read_text(encoding="utf-8")
