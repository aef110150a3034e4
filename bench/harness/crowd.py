"""Connections that want nothing, and others that take for ever to say what they want: a process that keeps both up.

Whoever is cut off comes back at once, so their number stays the same whatever the server does to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from typing import Final

import uvloop

from harness.processes import ANSWER

BYTE_EVERY_S: Final = 1.0
GATHERED_S: Final = 30.0
ASKING_MAX: Final = 16
"""How many of the idle make their one request at a time: they are no burst."""
_CONTEXT: Final = multiprocessing.get_context("spawn")


def _count() -> Synchronized[int]:
    return _CONTEXT.Value("i", 0)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many connections are up, and how often one of the slow was cut off."""

    idle: Synchronized[int] = field(default_factory=_count)
    slow: Synchronized[int] = field(default_factory=_count)
    cut: Synchronized[int] = field(default_factory=_count)


@dataclass(frozen=True, slots=True)
class Members:
    """How many connections of each kind, and the request that the idle have made once and the slow never finish."""

    idle: int
    slow: int
    request: bytes


@contextlib.contextmanager
def crowd(netloc: str, members: Members, core: int) -> Iterator[Tally]:
    """The crowd around `netloc`, once all of it is there. Ends the benchmark if that takes too long."""
    tally = Tally()
    process = _CONTEXT.Process(target=_keep_up, args=(netloc, members, tally, core), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + GATHERED_S
        while (tally.idle.value, tally.slow.value) != (members.idle, members.slow):
            if time.monotonic() > deadline:
                raise SystemExit(f"only {tally.idle.value} idle and {tally.slow.value} slow connections come about")
            time.sleep(0.05)
        yield tally
    finally:
        process.terminate()
        process.join()


def _keep_up(netloc: str, members: Members, tally: Tally, core: int) -> None:
    os.sched_setaffinity(0, {core})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_gather(netloc, members, tally))


async def _gather(netloc: str, members: Members, tally: Tally) -> None:
    host, _, port = netloc.rpartition(":")
    body_begin = members.request.index(b"\r\n\r\n") + 4
    asking = asyncio.Semaphore(ASKING_MAX)

    async def again_and_again(visit: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        while True:
            reader, writer = await asyncio.open_connection(host, int(port))
            with contextlib.suppress(OSError, EOFError):
                await visit(reader, writer)
            writer.close()

    async def rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asking:
            writer.write(members.request)
            await reader.readuntil(ANSWER)
        with _up(tally.idle):
            await reader.read()

    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: int) -> None:
        writer.write(members.request[:sent])
        ended = asyncio.create_task(reader.read(1))
        with _up(tally.slow):
            for byte in members.request[sent:-1]:
                if (await asyncio.wait([ended], timeout=BYTE_EVERY_S))[0]:
                    break
                writer.write(bytes([byte]))
        ended.cancel()
        tally.cut.value += 1

    async def dawdle_in_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await dawdle(reader, writer, 1)

    async def dawdle_in_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await dawdle(reader, writer, body_begin + 1)

    await asyncio.gather(
        *(again_and_again(rest) for _ in range(members.idle)),
        *(again_and_again((dawdle_in_head, dawdle_in_body)[number % 2]) for number in range(members.slow)),
    )


@contextlib.contextmanager
def _up(counted: Synchronized[int]) -> Iterator[None]:
    counted.value += 1
    try:
        yield
    finally:
        counted.value -= 1
