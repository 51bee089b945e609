"""A load generator that costs little: raw HTTP/1.1 over asyncio, in a process of its own.

`steady` sends at a given rate whatever the answers do (open loop), and counts each latency from the
moment at which its request was due: a server that stalls pays for all who would have come
meanwhile. `busy` keeps so many clients asking one request after the other (closed loop).
Run as ``python -m bench.http_load``, with a plan as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

__all__ = ["Seen", "busy", "in_own_process", "request_bytes", "steady"]

GIVE_UP_S = 60.0
TIMERS_S = 0.0015
"""How far a timer of the loop may be off."""


@dataclass(slots=True)
class Seen:
    """What a load met.

    Attributes:
        milliseconds: Latency of each answered request.
        statuses: Answers by status; ``lost`` where a connection ended without one.
        seconds: From the first request to the last answer.
    """

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def request_bytes(
    method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
) -> bytes:
    """Return a request as it goes over the line.

    Example:
        >>> request_bytes("GET", "/healthz").splitlines()[0]
        b'GET /healthz HTTP/1.1'
    """
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class _Line(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[str] | None = None
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by name only

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or self._answer is None or self._answer.done():
            return
        lines = bytes(self._got[:head]).lower()
        status = lines[9:12].decode()
        if b"\r\ntransfer-encoding: chunked" in lines:
            whole = self._got.endswith(b"\r\n0\r\n\r\n")
        else:
            start = lines.find(b"\r\ncontent-length:")
            length = int(lines[start + 17 :].partition(b"\r\n")[0]) if start >= 0 else 0
            whole = len(self._got) >= head + 4 + length
        if whole:
            self._got.clear()
            if b"\r\nconnection: close" in lines:
                self.closed = True
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result("lost")

    def ask(self, request: bytes) -> asyncio.Future[str]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        if self.closed:
            self._answer.set_result("lost")
        else:
            self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Lines:
    """Connections that are kept; one that the server closed while it was idle is replaced."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Line] = []

    async def ask(self, request: bytes) -> str:
        """Return the status of an answer.

        A kept connection may be closed by the server at the moment it is used (that is how HTTP is
        ended gracefully): such a request was not read, and is sent once more on a fresh one.
        """
        line, fresh = await self._taken()
        status = await asyncio.wait_for(line.ask(request), GIVE_UP_S)
        if status == "lost" and not fresh:
            line = await self._opened()
            status = await asyncio.wait_for(line.ask(request), GIVE_UP_S)
        if not line.closed:
            self._idle.append(line)
        return status

    async def _taken(self) -> tuple[_Line, bool]:
        while self._idle:
            line = self._idle.pop()
            if not line.closed:
                return line, False
        return await self._opened(), True

    async def _opened(self) -> _Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(_Line, "127.0.0.1", self._port)
        return line

    def close(self) -> None:
        for line in self._idle:
            line.close()


async def steady(port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> Seen:
    """Send so many requests a second, in turn, from the moment of the call."""
    seen, lines = Seen(), _Lines(port)
    start = time.perf_counter() + 0.05

    async def one(number: int) -> None:
        due = start + number / rate
        try:
            status = await lines.ask(requests[number % len(requests)])
        except (OSError, TimeoutError) as error:
            status = type(error).__name__
        seen.statuses[status] += 1
        seen.milliseconds.append(1000 * (time.perf_counter() - due))

    under_way = set()
    for number in range(int(rate * seconds)):
        await _until(start + number / rate)
        task = asyncio.ensure_future(one(number))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    seen.seconds = time.perf_counter() - start
    lines.close()
    return seen


async def _until(due: float) -> None:
    """Wait to the moment: timers count milliseconds, so the loop turns through the last one."""
    while (left := due - time.perf_counter()) > 0:
        await asyncio.sleep(left - TIMERS_S if left > TIMERS_S else 0)


async def busy(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Seen:
    """Let so many clients ask one request after the other; each begins at another one."""
    seen = Seen()
    start = time.perf_counter()

    async def client(number: int) -> None:
        lines, at = _Lines(port), number * len(requests) // clients
        while (begun := time.perf_counter()) < start + seconds:
            try:
                status = await lines.ask(requests[at % len(requests)])
            except (OSError, TimeoutError) as error:
                status = type(error).__name__
            seen.statuses[status] += 1
            seen.milliseconds.append(1000 * (time.perf_counter() - begun))
            at += 1
        lines.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    seen.seconds = time.perf_counter() - start
    return seen


async def in_own_process(kind: str, port: int, requests: Sequence[bytes], **how: float) -> Seen:
    """Run `steady` or `busy` in another process and return what it met."""
    plan = {"kind": kind, "port": port, "requests": [r.decode() for r in requests], "how": how}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.http_load",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(plan).encode())
    if process.returncode:
        raise RuntimeError(f"the load generator ended with {process.returncode}")
    found = json.loads(out)
    return Seen(found["milliseconds"], Counter(found["statuses"]), found["seconds"])


def main() -> None:
    """Run the plan on standard input."""
    plan = json.load(sys.stdin)
    requests = [text.encode() for text in plan["requests"]]
    run = {"steady": steady, "busy": busy}[plan["kind"]]
    seen = uvloop.run(run(plan["port"], requests, **plan["how"]))
    rounded = [round(ms, 3) for ms in seen.milliseconds]
    found = {"milliseconds": rounded, "statuses": seen.statuses, "seconds": seen.seconds}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
