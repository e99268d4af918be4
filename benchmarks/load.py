"""A lean HTTP load generator: keep-alive connections that send prepared bytes, bounded in count.

Runs in a process of its own (`python -m benchmarks.load`), so that its Python does not share our interpreter.
Reads one JSON job from standard input, prints one JSON result.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """`seconds` for all requests; `latencies` in seconds, one a request, in the order they ended: with a rate from
    the moment at which the request was due, so that a queue before it counts."""

    seconds: float
    statuses: dict[str, int]
    latencies: list[float]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A prepared HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(requests: list[bytes], *, port: int, connections: int, rate: float | None = None) -> Result:
    """Send every request once, over `connections`; at most `rate` a second when given. Blocks."""
    job = {
        "requests": [base64.b64encode(item).decode() for item in requests],
        "port": port,
        "connections": connections,
        "rate": rate,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(job).encode(), capture_output=True, check=True
    )
    return Result(**json.loads(done.stdout))


async def _work(requests: list[bytes], port: int, connections: int, rate: float | None) -> Result:
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    queue = iter(enumerate(requests))
    started = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index, data in queue:
            sent = started + index / rate if rate else time.perf_counter()
            await asyncio.sleep(max(0.0, sent - time.perf_counter()))
            writer.write(data)
            statuses[await _read(reader)] += 1
            latencies.append(time.perf_counter() - sent)
        writer.close()

    await asyncio.gather(*[client() for _ in range(connections)])
    return Result(time.perf_counter() - started, dict(statuses), latencies)


async def _read(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if b"content-length:" in lowered:
        await reader.readexactly(int(lowered.split(b"content-length:")[1].split(b"\r\n")[0]))
    elif b"transfer-encoding: chunked" in lowered:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return head[9:12].decode()


if __name__ == "__main__":
    job = json.load(sys.stdin)
    prepared = [base64.b64decode(item) for item in job["requests"]]
    result = asyncio.run(_work(prepared, job["port"], job["connections"], job["rate"]))
    print(json.dumps({"seconds": result.seconds, "statuses": result.statuses, "latencies": result.latencies}))
