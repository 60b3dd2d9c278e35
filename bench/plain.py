"""nginx and backends started the article's way, by hand: nothing watches them, and nothing is logged."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.nginx.binary import BUNDLED, find_nginx

HOST = "127.0.0.1"
CONFIG = """\
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    upstream fintechexplained {{
{servers}
    }}
    server {{
        listen {host}:{port};
        location / {{ proxy_pass http://fintechexplained; }}
    }}
}}
"""


async def answers(port: int) -> None:
    """Wait until the port answers a request with 200."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            head = await reader.readline()
            writer.close()
            if b" 200 " in head:
                return
        except OSError:
            pass
        await asyncio.sleep(0.005)


async def listens(port: int) -> None:
    """Wait until the port accepts connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return


@asynccontextmanager
async def shell_loop(ports: range) -> AsyncIterator[float]:
    """Backends started by a shell loop; the seconds until all of them listened."""
    loop = f'for port in {" ".join(map(str, ports))}; do {sys.executable} -m lab.backend $port & pids="$pids $!"; done'
    started = time.perf_counter()
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", f"trap 'kill $pids; wait; exit' TERM; {loop}; wait", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.gather(*(listens(port) for port in ports))
        yield time.perf_counter() - started
    finally:
        shell.terminate()
        await shell.wait()


@asynccontextmanager
async def article(port: int, ports: range) -> AsyncIterator[float]:
    """Backends and nginx, one after the other as a script would; the seconds until the first balanced answer."""
    binary = await find_nginx(BUNDLED)
    with tempfile.TemporaryDirectory() as folder:
        servers = "\n".join(f"        server {HOST}:{backend};" for backend in ports)
        (Path(folder) / "nginx.conf").write_text(CONFIG.format(servers=servers, host=HOST, port=port), encoding="utf-8")
        started = time.perf_counter()
        async with shell_loop(ports):
            nginx = await asyncio.create_subprocess_exec(
                binary.path, *binary.error_log_option, "-p", folder, "-c", "nginx.conf"
            )
            try:
                await answers(port)
                yield time.perf_counter() - started
            finally:
                nginx.terminate()
                await nginx.wait()
