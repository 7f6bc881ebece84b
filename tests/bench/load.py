"""A load generator: so many connections, one request at a time on each, as fast as answers come. A process of its own.

`python -m tests.bench.load PORT PATH CONNECTIONS SECONDS` prints one line of JSON: answers a second, latencies in ms, statuses.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from statistics import quantiles

from . import fresh

BODY = b'{"order": 4711, "total": 99.5}'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What came of one round."""

    rate: float  # answers a second
    p50_ms: float
    p99_ms: float
    answers: int
    statuses: dict[str, int]


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, deadline: float, found: _Found) -> None:
        self._request = request
        self._deadline = deadline
        self._found = found
        self._buffer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        if len(self._buffer) < end + 4 + (int(length[1]) if length else 0):
            return
        now = time.perf_counter()
        self._found.latencies.append(now - self._began)
        self._found.statuses[self._buffer[9:12].decode()] += 1
        self._buffer = b""
        if now < self._deadline:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class _Found:
    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()


async def _load(port: int, path: str, connections: int, seconds: float) -> Load:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    found, loop, began = _Found(), asyncio.get_running_loop(), time.perf_counter()
    made = [
        (await loop.create_connection(lambda: _Connection(head.encode() + BODY, began + seconds, found), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(one.ended for one in made)), seconds + 60)
    took = time.perf_counter() - began
    cuts = quantiles(found.latencies, n=100) if len(found.latencies) > 1 else [0.0] * 99
    return Load(
        rate=len(found.latencies) / took,
        p50_ms=cuts[49] * 1e3,
        p99_ms=cuts[98] * 1e3,
        answers=len(found.latencies),
        statuses=dict(found.statuses),
    )


def put_on(port: int, path: str, connections: int, seconds: float) -> Load:
    """A round, from another process."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), path, str(connections), str(seconds)]
    done = subprocess.run(command, cwd=fresh.REPOSITORY, capture_output=True, text=True, timeout=seconds + 120, check=True)
    return Load(**json.loads(done.stdout))


if __name__ == "__main__":
    import uvloop

    load = uvloop.run(_load(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    print(json.dumps({name: getattr(load, name) for name in Load.__slots__}))
