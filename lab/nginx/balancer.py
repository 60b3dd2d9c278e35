"""The upstream as it is now, and its changes: rendered, tested, swapped in, reloaded, one after the other."""

import asyncio
from dataclasses import replace

from lab.algorithms import ALGORITHMS, algorithm_named
from lab.config import BackendSpec, LabConfig, require_fitting_backups
from lab.errors import LabError, NotReadyError
from lab.machine.limits import require_room, worker_connections
from lab.machine.ports import Ports
from lab.models import AlgorithmChoice, ConfigView
from lab.nginx.binary import NginxBinary, find_nginx
from lab.nginx.reload_watch import ReloadWatch
from lab.nginx.render import SITE, Frame, Upstream, compare, render
from lab.nginx.retry_rules import OFF, in_order
from lab.nginx.server import NginxServer

REMEMBERED = 1000
"""How many changes ago a request can have been served whose rules are still known."""


class Balancer:
    """nginx with its upstream.

    Raises:
        NotReadyError: this nginx lacks the algorithm that the lab is to begin with.
        LabError: a change can't be made; nginx runs on as it was.
    """

    def __init__(self, server: NginxServer, config: LabConfig, ports: Ports) -> None:
        _require(server.binary, config.algorithm)
        self.server = server
        self.frame, self.upstream = first_state(config, ports)
        self.upstreams = {1: self.upstream}
        """What was balanced under each generation of the configuration, the newest last."""
        self.reloads = ReloadWatch()
        self.config: ConfigView | None = None
        self._newcomer = replace(config.backends[0], weight=1, is_down=False, is_backup=False)
        self._one_change_at_a_time = asyncio.Lock()

    @property
    def specs(self) -> dict[int, BackendSpec]:
        """The `server` lines by port."""
        return dict(self.upstream.backends)

    def choices(self) -> tuple[AlgorithmChoice, ...]:
        """The catalogue, and what of it this nginx has."""
        return tuple(
            AlgorithmChoice(algorithm.name, algorithm.title, algorithm.summary)
            if (why_not := missing(self.server.binary, algorithm.name)) is None
            else AlgorithmChoice(algorithm.name, algorithm.title, algorithm.summary, False, why_not)
            for algorithm in ALGORITHMS
        )

    async def test(self) -> None:
        """Have nginx test its first configuration."""
        await self.server.test(render(self.server.binary, self.frame, self.upstream, generation=1))

    async def start(self) -> None:
        """Start nginx on its first configuration."""
        files = render(self.server.binary, self.frame, self.upstream, generation=1)
        await self.server.start(files)
        self.config = ConfigView(1, f"started with {self.upstream.algorithm}", files.main, files.site)

    async def restart(self) -> None:
        """Start nginx anew on the configuration in force, if it doesn't run."""
        async with self._one_change_at_a_time:
            if self.server.master_pid is None:
                assert self.config is not None
                await self.server.start(render(self.server.binary, self.frame, self.upstream, self.config.generation))

    async def use_algorithm(self, name: str) -> None:
        """Balance by this algorithm from now on."""
        algorithm = algorithm_named(name)
        if why_not := missing(self.server.binary, name):
            raise LabError(f"{algorithm.title} {why_not}.")
        async with self._one_change_at_a_time:
            if name != self.upstream.algorithm:
                await self._change(replace(self.upstream, algorithm=name), f"{self.upstream.algorithm} → {name}")

    async def change_weight(self, port: int, by: int) -> None:
        """Raise or lower the weight of a backend."""
        async with self._one_change_at_a_time:
            before = self._spec(port)
            after = replace(before, weight=before.weight + by)
            await self._change_spec(port, after, f"weight of {port}: {before.weight} → {after.weight}")

    async def toggle_down(self, port: int) -> None:
        """Take a backend out of rotation, or back in."""
        async with self._one_change_at_a_time:
            spec = self._spec(port)
            what = f"{port} back in rotation" if spec.is_down else f"{port} out of rotation (down)"
            await self._change_spec(port, replace(spec, is_down=not spec.is_down), what)

    async def toggle_backup(self, port: int) -> None:
        """Make a backend a backup, or a primary again."""
        async with self._one_change_at_a_time:
            spec = self._spec(port)
            what = f"{port} is a primary again" if spec.is_backup else f"{port} is a backup"
            await self._change_spec(port, replace(spec, is_backup=not spec.is_backup), what)

    async def add(self, port: int) -> None:
        """Put one more backend into the upstream, as a primary of weight 1 that is put aside like the first ones."""
        async with self._one_change_at_a_time:
            backends = (*self.upstream.backends, (port, self._newcomer))
            await self._change(replace(self.upstream, backends=backends), f"{port} added")

    async def remove(self, port: int) -> None:
        """Take a backend out of the upstream altogether."""
        async with self._one_change_at_a_time:
            self._spec(port)
            backends = tuple((each, spec) for each, spec in self.upstream.backends if each != port)
            if all(spec.is_backup for _, spec in backends):
                raise LabError(f"The backend on port {port} is the last primary, and nginx needs one: add one first.")
            await self._change(replace(self.upstream, backends=backends), f"{port} removed")

    async def set_retry_rules(self, words: tuple[str, ...]) -> None:
        """Try another backend in these cases only."""
        rules = in_order(words)
        async with self._one_change_at_a_time:
            before = self.upstream.retry_rules
            if rules != before:
                after = replace(self.upstream, retry_rules=rules)
                await self._change(after, f"next upstream: {_listed(before)} → {_listed(rules)}")

    def _spec(self, port: int) -> BackendSpec:
        try:
            return self.specs[port]
        except KeyError:
            raise LabError(f"There is no backend on port {port}.") from None

    async def _change_spec(self, port: int, spec: BackendSpec, what: str) -> None:
        backends = tuple((each, spec if each == port else old) for each, old in self.upstream.backends)
        await self._change(replace(self.upstream, backends=backends), what)

    async def _change(self, upstream: Upstream, what: str) -> None:
        assert self.config is not None
        require_fitting_backups(upstream.algorithm, [spec for _, spec in upstream.backends])
        generation = self.config.generation + 1
        files = render(self.server.binary, self.frame, upstream, generation)
        await self.server.test(files)
        self.reloads.begin(generation, what)
        self.upstreams[generation] = upstream
        try:
            self.reloads.finish(await self.server.reload(files))
        except LabError:
            del self.upstreams[generation]
            raise
        self.upstreams.pop(generation - REMEMBERED, None)
        self.upstream = upstream
        self.config = ConfigView(generation, what, files.main, files.site, compare(self.config.site, files.site))


def first_state(config: LabConfig, ports: Ports) -> tuple[Frame, Upstream]:
    """What a lab of this configuration begins with."""
    frame = Frame(
        ports.nginx, config.nginx_workers, config.read_timeout_ms, config.keep_root, worker_connections(config)
    )
    backends = tuple(zip(ports.backends, config.backends, strict=True))
    return frame, Upstream(config.algorithm, backends, in_order(config.retry_rules))


def _listed(rules: tuple[str, ...]) -> str:
    return " ".join(rules) or OFF


async def preview(config: LabConfig, ports: Ports) -> dict[str, str]:
    """The files that a lab of this configuration would begin with, by name.

    Raises:
        NotReadyError: there is no such nginx, it lacks the algorithm, or this machine has no room for such a lab.
    """
    require_room(config)
    binary = await find_nginx(config.nginx)
    _require(binary, config.algorithm)
    files = render(binary, *first_state(config, ports), generation=1)
    return {"nginx.conf": files.main, f"sites-available/{SITE}": files.site}


def missing(binary: NginxBinary, name: str) -> str | None:
    """Why this nginx can't balance by the algorithm of that name; None if it can."""
    algorithm = algorithm_named(name)
    if binary.has(algorithm):
        return None
    return f"needs nginx {algorithm.since} or newer, and {binary.path} is {binary.version_text}"


def _require(binary: NginxBinary, name: str) -> None:
    if why_not := missing(binary, name):
        raise NotReadyError(f"{name} {why_not}: use --nginx bundled, or another algorithm.")
