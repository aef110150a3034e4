"""Open-loop load at a given rate: a stall shows in the latency of all who waited, not in fewer requests.

Requests fall due as a Poisson process says, on a schedule drawn beforehand and the same for all who are measured, and
their latency counts from then. One thread, in this process, without an event loop: asyncio's timers are a millisecond
coarse, which would send requests in bursts.
"""

from __future__ import annotations

import collections
import contextlib
import gc
import os
import random
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.processes import ANSWER

SILENCE_S: Final = 10.0
_SUCCESS: Final = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class PacedReading:
    """Latencies of all answers, sorted, in seconds."""

    latencies_s: Sequence[float]

    def percentile_us(self, share: float) -> float:
        """The latency that `share` of the requests stayed below."""
        return self.latencies_s[min(len(self.latencies_s) - 1, int(share * len(self.latencies_s)))] * 1e6


def run_paced(
    netloc: str, requests: Sequence[bytes], *, rate: float, seconds: float, connections: int = 64
) -> PacedReading:
    """Send `rate` requests a second over kept connections. Ends the benchmark at a wrong answer or none."""
    load = _PacedLoad(netloc, requests, connections)
    with contextlib.closing(load), _no_garbage():
        return load.run(_schedule_s(rate, seconds))


@contextlib.contextmanager
def kept_on(core: int) -> Iterator[None]:
    """Keep this process on one core for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class _PacedLoad:
    """Connections, each of them idle or waiting for one answer."""

    def __init__(self, netloc: str, requests: Sequence[bytes], connections: int) -> None:
        self._requests = requests
        self._ready = select.epoll()
        host, _, port = netloc.rpartition(":")
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            sock = socket.create_connection((host, int(port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            self._sockets[sock.fileno()] = sock
            self._ready.register(sock, select.EPOLLIN)
        self._idle = collections.deque(self._sockets)  # used in turn, so that none rests until the server closes it
        self._due_s: dict[int, float] = {}
        self._heard: dict[int, bytes] = dict.fromkeys(self._sockets, b"")
        self._latencies_s: list[float] = []

    def run(self, schedule_s: Sequence[float]) -> PacedReading:
        waiting: collections.deque[float] = collections.deque()
        upcoming = collections.deque(schedule_s)
        begun = time.perf_counter()
        while upcoming or self._due_s or waiting:
            now = time.perf_counter() - begun
            while upcoming and upcoming[0] <= now:
                waiting.append(upcoming.popleft())
            while waiting and self._idle:
                self._send(waiting.popleft())
            # select waits with microseconds, epoll's own wait has milliseconds
            pause = max(0.0, upcoming[0] - (time.perf_counter() - begun)) if upcoming else SILENCE_S
            if not select.select([self._ready], [], [], pause)[0] and not upcoming:
                raise SystemExit(f"{len(self._due_s)} requests were not answered within {SILENCE_S} s")
            for fd, _ in self._ready.poll(0):
                self._receive(fd, begun)
        return PacedReading(sorted(self._latencies_s))

    def close(self) -> None:
        self._ready.close()
        for sock in self._sockets.values():
            sock.close()

    def _send(self, due_s: float) -> None:
        fd = self._idle.popleft()
        self._due_s[fd] = due_s
        os.write(fd, self._requests[len(self._latencies_s) % len(self._requests)])

    def _receive(self, fd: int, begun: float) -> None:
        chunk = os.read(fd, 65536)
        heard = self._heard[fd] + chunk
        if not chunk or not heard.startswith(_SUCCESS) or fd not in self._due_s:
            raise SystemExit(f"what came under paced load is {heard!r}")
        if not heard.endswith(ANSWER):
            self._heard[fd] = heard
            return
        self._latencies_s.append(time.perf_counter() - begun - self._due_s.pop(fd))
        self._heard[fd] = b""
        self._idle.append(fd)


def _schedule_s(rate: float, seconds: float) -> list[float]:
    draw = random.Random(1)
    due_s: list[float] = []
    at = draw.expovariate(rate)
    while at < seconds:
        due_s.append(at)
        at += draw.expovariate(rate)
    return due_s


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing here makes cycles, and a search for them would count as latency."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
