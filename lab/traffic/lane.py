"""What fires: one connection to nginx, one request at a time. What fires can change behind this narrow interface."""

import asyncio
import re
import time
from typing import Protocol

import httpx

from lab.traffic.outcome import Outcome

BODY = re.compile(r"Hello from Process Id = (\d+)")
USER_AGENT = "lablb"


class Lane(Protocol):
    """One connection."""

    async def fire(self, shot: str, due: float) -> Outcome:
        """Send one request, due at `due` (seconds of `time.perf_counter`), and say what became of it; never raises."""

    async def close(self) -> None:
        """Close the connection."""


class HttpxLane:
    """A lane on `httpx`: one client a connection, since a client searches its pool on every request."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113 - the whole request is bounded below
            verify=False,  # noqa: S501 - plain HTTP on loopback; loading certificates costs 50 ms a lane
            trust_env=False,  # a proxy of the user's has no business between the lab and its nginx
            headers={"User-Agent": USER_AGENT},
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
        )
        self._has_connection = False

    async def fire(self, shot: str, due: float) -> Outcome:
        sent = time.perf_counter()
        is_resent = False
        response: httpx.Response | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                try:
                    response = await self._get(shot)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # nginx may close an idle kept-alive connection while a request is on its way to it: nothing of
                    # that request was read, so that it may be sent again.
                    if not self._has_connection:
                        raise
                    is_resent = True
                    response = await self._get(shot)
        except TimeoutError:
            error = "timeout"
        except httpx.HTTPError as failure:
            error = _kind(failure)
        done = time.perf_counter()
        self._has_connection = response is not None
        latency_us, late_us = (done - due) * 1e6, (sent - due) * 1e6
        if response is None:
            return Outcome(shot, latency_us, late_us, error=error, is_resent=is_resent)
        found = BODY.fullmatch(response.text)
        return Outcome(
            shot,
            latency_us,
            late_us,
            status=response.status_code,
            pid=int(found[1]) if found else None,
            upstream=response.headers.get("X-Upstream", ""),
            is_resent=is_resent,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, shot: str) -> httpx.Response:
        return await self._client.get(self._url, headers={"X-Lablb-Shot": shot})


def _kind(failure: httpx.HTTPError) -> str:
    match failure:
        case httpx.ConnectError():
            return "refused"
        case httpx.ReadError() | httpx.WriteError():
            return "reset"
        case httpx.RemoteProtocolError():
            return "broken_off"
    return type(failure).__name__
