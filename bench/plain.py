"""nginx and backends started the article's way, by hand: nothing watches them, and nothing is logged."""

import asyncio
import shlex
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


SCRIPT = """\
trap 'kill $pids; wait; exit' TERM
answers() {{ until curl -fs -o answer http://{host}:$1/; do sleep 0.02; done; }}
for port in {backends}; do {python} -m lab.backend $port > /dev/null & pids="$pids $!"; done
for port in {backends}; do answers $port; done
{nginx} -p . -c nginx.conf & pids="$pids $!"
answers {port}
echo answered
wait
"""


@asynccontextmanager
async def article(port: int, ports: range) -> AsyncIterator[float]:
    """Backends and nginx, started by a shell script; the seconds until curl got the first balanced answer."""
    binary = await find_nginx(BUNDLED)
    nginx = shlex.join((str(binary.path), *binary.error_log_option))
    servers = "\n".join(f"        server {HOST}:{backend};" for backend in ports)
    script = SCRIPT.format(
        host=HOST, port=port, backends=" ".join(map(str, ports)), python=shlex.quote(sys.executable), nginx=nginx
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nginx.conf").write_text(CONFIG.format(servers=servers, host=HOST, port=port), encoding="utf-8")
        started = time.perf_counter()
        shell = await asyncio.create_subprocess_exec(
            "sh", "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        try:
            assert shell.stdout is not None
            assert await shell.stdout.readline() == b"answered\n"
            yield time.perf_counter() - started
        finally:
            shell.terminate()
            await shell.wait()


async def curl_answers(port: int) -> None:
    """Wait until curl gets an answer, as the script does."""
    waiting = f"until curl -fs -o /dev/null http://{HOST}:{port}/; do sleep 0.02; done"
    await (await asyncio.create_subprocess_exec("sh", "-c", waiting)).wait()
