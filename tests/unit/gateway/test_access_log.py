"""The access log, in virtual time."""

import asyncio
import logging
import threading
from datetime import datetime
from typing import Any

import msgspec
import pytest

from moorage.gateway.access_log import AccessLog, Entry
from moorage.testing.builders import T0
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Disk:
    """Keeps what is appended, unless it hangs; `error` is raised instead."""

    def __init__(self) -> None:
        self.content = b""
        self.error: OSError | None = None
        self.threads: set[threading.Thread] = set()
        self.hanging = threading.Lock()

    def append(self, lines: bytes) -> None:
        self.threads.add(threading.current_thread())
        with self.hanging:
            pass
        if self.error is not None:
            raise self.error
        self.content += lines

    def lines(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.content.splitlines()]


class Worker:
    """What a gateway worker does with its log."""

    def __init__(self, *, successes_per_s: int = 10, failures_per_s: int = 3) -> None:
        self.disk = Disk()
        self.log = AccessLog(
            self.disk.append, clock=LoopClock(), successes_per_s=successes_per_s, failures_per_s=failures_per_s
        )

    def succeed(self, count: int = 1) -> None:
        for _ in range(count):
            if self.log.successes.skip:
                self.log.successes.skip -= 1
            else:
                self.log.add_success(entry(200))

    def fail(self, count: int = 1) -> None:
        for _ in range(count):
            if self.log.failures_left:
                self.log.add_failure(entry(424, error="ModelError"))
            else:
                self.log.missing += 1


def entry(status: int, **fields: Any) -> Entry:
    return Entry(request_id="r-1", operation="InvokeEndpoint", endpoint="iris", status=status, **fields)


async def test_a_line_has_what_is_known_and_nothing_else() -> None:
    worker = Worker()
    worker.log.add_success(entry(200, model_us=900, overhead_us=60, trace_id="4bf9"))
    await worker.log.flush()
    (line,) = worker.disk.lines()
    assert T0 == datetime.fromisoformat(line.pop("time"))
    assert {
        "request_id": "r-1",
        "operation": "InvokeEndpoint",
        "endpoint": "iris",
        "status": 200,
        "model_us": 900,
        "overhead_us": 60,
        "trace_id": "4bf9",
    } == line


async def test_whatever_a_text_holds_a_line_stays_a_line() -> None:
    worker = Worker()
    worker.log.add_failure(entry(400, variant='a"b\\c\r\n\x00\x1b[31m{'))
    await worker.log.flush()
    assert 1 == worker.disk.content.count(b"\n")
    assert b"\x1b" not in worker.disk.content
    assert 'a"b\\c\r\n\x00\x1b[31m{' == worker.disk.lines()[0]["variant"]


async def test_lines_are_written_every_second_and_off_the_loop() -> None:
    worker = Worker()
    keeping = asyncio.create_task(worker.log.keep())
    worker.succeed()
    async with asyncio.timeout(600):  # of virtual time, which real time passes while a thread is at work
        while not worker.disk.content:
            await asyncio.sleep(0.1)
    assert 1 == len(worker.disk.lines())
    assert threading.current_thread() not in worker.disk.threads
    worker.fail()
    keeping.cancel()
    await asyncio.wait([keeping])
    assert [200, 424] == [line["status"] for line in worker.disk.lines()]


async def test_the_end_waits_for_lines_that_are_just_being_written() -> None:
    worker = Worker()
    with worker.disk.hanging:
        keeping = asyncio.create_task(worker.log.keep())
        worker.succeed()
        async with asyncio.timeout(600):
            while not worker.disk.threads:
                await asyncio.sleep(0.1)
        keeping.cancel()
        await asyncio.wait([keeping], timeout=1)
        assert not keeping.done()
    await asyncio.wait([keeping])
    assert [200] == [line["status"] for line in worker.disk.lines()]


async def test_failures_beyond_their_number_are_counted() -> None:
    worker = Worker(failures_per_s=3)
    worker.fail(10)
    for _ in range(2):
        await worker.log.flush()
    worker.fail(1)
    await worker.log.flush()
    assert [424, 424, 424, 424] == [line["status"] for line in worker.disk.lines() if "status" in line]
    assert [7] == [line["missing"] for line in worker.disk.lines() if "missing" in line]


async def test_the_sum_over_the_lines_is_that_of_the_traffic() -> None:
    worker = Worker()
    for _ in range(3):
        worker.succeed(5_000)
        await worker.log.flush()
    await worker.log.flush()
    worker.succeed()
    await worker.log.flush()
    assert 15_001 == sum(line.get("stands_for", 1) for line in worker.disk.lines())
    assert 60 > len(worker.disk.lines())


async def test_a_disk_that_does_not_take_them_is_said_once_and_what_is_missing_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker()
    worker.disk.error = OSError(28, "No space left on device")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            worker.succeed(2)
            await worker.log.flush()
    assert 1 == len(caplog.records)
    worker.disk.error = None
    worker.succeed()
    await worker.log.flush()
    assert [6] == [line["missing"] for line in worker.disk.lines() if "missing" in line]


async def test_while_a_disk_hangs_what_waits_is_bounded() -> None:
    worker = Worker(successes_per_s=10, failures_per_s=3)
    worker.disk.hanging.acquire()
    worker.succeed()
    writing = asyncio.create_task(worker.log.flush())
    await asyncio.sleep(0)
    worker.succeed(1_000_000)
    worker.fail(1_000_000)
    worker.disk.hanging.release()
    await writing
    await worker.log.flush()
    lines = worker.disk.lines()
    assert 60 > len(lines)
    assert [999_997] == [line["missing"] for line in lines if "missing" in line]
