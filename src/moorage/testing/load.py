"""An open-loop load generator with signed requests: honest percentiles, and every failure kept with its time.

Open loop: request i is due at `i / rate` seconds whatever became of those before it, so a stall of the server shows as
latency of everybody who waited, not as fewer requests.
"""

from __future__ import annotations

import asyncio
import collections
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from moorage.system.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: times in seconds since the load began. `status` is 0 if no answer came."""

    due: float
    sent: float
    """Infinite if it could not be."""
    finished: float
    status: int
    body: bytes
    error: str = ""

    @property
    def latency(self) -> float:
        return self.finished - self.due

    @property
    def served_in(self) -> float:
        """Without what the load itself was late."""
        return self.finished - self.sent


@dataclass(slots=True)
class Report:
    """What came of a load, in the order the requests finished."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def failures(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.status != 200]

    def percentile(self, share: float) -> float:
        """Latency in seconds below which `share` of the answered requests lie. NaN if there are none."""
        latencies = sorted(sample.latency for sample in self.samples if sample.status == 200)
        return latencies[min(len(latencies) - 1, int(share * len(latencies)))] if latencies else float("nan")

    def statuses(self) -> Mapping[int, int]:
        return dict(collections.Counter(sample.status for sample in self.samples))


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send invocations and with what."""

    endpoint_url: str
    endpoint_name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str = "us-east-1"
    body: bytes = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Load:
    """A running load; `stop` ends it and answers the report once everything in flight is over.

    It goes round `connections` kept-alive ones, and opens more when all are busy. The kernel draws which worker of a
    gateway a connection is with: with many, every worker has its share.
    """

    def __init__(
        self,
        target: Target,
        *,
        rate: float,
        connections: int = 1,
        clock: Clock | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self._target = target
        self._rate = rate
        self._clock = clock or SystemClock()
        self._timeout_s = timeout_s
        self._report = Report()
        self._connections = connections
        self._idle: list[Connection] = []
        self._stopping = asyncio.Event()
        self._requests: set[asyncio.Task[None]] = set()
        self._started = self._clock.monotonic()
        self._driver = asyncio.create_task(self._drive())

    @property
    def elapsed(self) -> float:
        """Seconds since the load began: the same scale as the samples'."""
        return self._clock.monotonic() - self._started

    @property
    def report(self) -> Report:
        """What has come of it so far; it grows."""
        return self._report

    async def until_answered(self, body: bytes) -> None:
        """Wait until the last answer is this one. Raises TimeoutError."""
        async with asyncio.timeout(3 * self._timeout_s):
            while [body] != [sample.body for sample in self._report.samples[-1:]]:
                await self._clock.sleep(0.01)

    async def stop(self) -> Report:
        self._stopping.set()
        await self._driver
        if self._requests:
            await asyncio.wait(self._requests)
        for _, writer in self._idle:
            writer.close()
        return self._report

    async def _drive(self) -> None:
        number = 0
        while not self._stopping.is_set():
            due = number / self._rate
            await self._clock.sleep(max(0.0, due - self.elapsed))
            task = asyncio.create_task(self._request(due))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
            number += 1

    async def _request(self, due: float) -> None:
        sent = math.inf
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = self._take_idle() or await self._connect()
                sent = self.elapsed
                status, body = await self._exchange(*connection)
            self._report.samples.append(Sample(due, sent, self.elapsed, status, body))
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self._report.samples.append(Sample(due, sent, self.elapsed, 0, b"", f"{type(error).__name__}: {error}"))

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
        try:
            writer.write(signed_request(self._target))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            body = await reader.readexactly(_content_length(head))
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in head.lower():
            writer.close()
        else:
            self._idle.append((reader, writer))
        return status, body

    def _take_idle(self) -> Connection | None:
        """The one that has rested longest, once as many as wanted rest. Like any client, none that was closed."""
        closed = [idle for idle in self._idle if _is_closed(*idle)]
        for idle in closed:
            self._idle.remove(idle)
            idle[1].close()
        return self._idle.pop(0) if len(self._idle) >= self._connections else None

    async def _connect(self) -> Connection:
        address = urlsplit(self._target.endpoint_url)
        return await asyncio.open_connection(address.hostname, address.port)


async def run_for(
    target: Target,
    *,
    rate: float,
    seconds: float,
    meanwhile: Callable[[], None] | None = None,
    connections: int = 1,
) -> Report:
    """A load of a fixed length; `meanwhile` runs in a thread beside it, and the load lasts at least as long as it."""
    load = Load(target, rate=rate, connections=connections)
    if meanwhile is not None:
        await asyncio.to_thread(meanwhile)
    await SystemClock().sleep(max(0.0, seconds - load.elapsed))
    return await load.stop()


def signed_request(target: Target) -> bytes:
    """The bytes of one invocation, signed now."""
    url = f"{target.endpoint_url}/endpoints/{target.endpoint_name}/invocations"
    headers = {"Content-Type": target.content_type, "Host": urlsplit(url).netloc, **target.headers}
    request = AWSRequest(method="POST", url=url, headers=headers, data=target.body)
    SigV4Auth(Credentials(target.access_key_id, target.secret_access_key), "sagemaker", target.region).add_auth(request)
    lines = [f"POST {urlsplit(url).path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(target.body)}", "", ""]).encode() + target.body


def _is_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    return reader.at_eof() or writer.is_closing()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError("an answer without Content-Length")
