"""The logs' room and time, on real files."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from moorage.control.log_keeper import LogKeeper
from moorage.telemetry.log_places import LogPlaces, StreamFile
from moorage.telemetry.log_trim import QUIET_S
from moorage.testing.logs_world import GROUP, START, START_MS, LogsWorld, NoWaiting

MIB = 1 << 20
HOUR_MS = 3_600_000


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    return LogsWorld(tmp_path)


def keeper(world: LogsWorld, *, bytes_max: int = 100 * MIB, stream_bytes_max: int = 100 * MIB) -> LogKeeper:
    return LogKeeper(world.places, world.store, world.clock, bytes_max=bytes_max, stream_bytes_max=stream_bytes_max)


def fill(world: LogsWorld, stream: str, lines: int, *, quiet: bool = False) -> Path:
    path = world.write(stream, *((number, f"{number:06} {'x' * 1000}") for number in range(lines)))
    written = START.timestamp() - (2 * QUIET_S if quiet else 0)
    os.utime(path, (written, written))
    return path


def room(path: Path) -> int:
    return path.stat().st_blocks * 512


async def test_a_stream_that_is_too_large_loses_its_oldest_lines_and_says_so(world: LogsWorld) -> None:
    path = fill(world, "A/i-1", 2000)
    with path.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        before = await world.get(startFromHead=True, startTime=START_MS + 1990)
        await keeper(world, stream_bytes_max=MIB).make_room()
        assert room(path) <= MIB
        lines = await world.find_all()
        assert 600 < len(lines) < 900
        assert [f"{number:06}" for number in range(2001 - len(lines), 2000)] == [line[:6] for line in lines[1:]]
        assert lines[0].startswith("moorage: the oldest ")
        assert lines[0].endswith(" bytes of this stream are gone: log_stream_bytes_max is 1048576 bytes")
        log.write("2026-11-21T03:00:00.000Z next\n")
    assert ["next"] == (await world.get(nextToken=before[2]))[0], "positions have not changed"
    (facts,) = (await world.call("DescribeLogStreams", logGroupName=GROUP))["logStreams"]
    assert START_MS + 2001 - len(lines) == facts["firstEventTimestamp"]
    assert facts["storedBytes"] < MIB


async def test_lines_without_a_time_keep_the_one_before_when_that_is_gone(world: LogsWorld) -> None:
    path = world.write("A/i-1", (7, "the last that has a time"))
    with path.open("a") as log:
        log.writelines(f"{number:06}{'x' * 93}\n" for number in range(20_000))
    await keeper(world, stream_bytes_max=MIB).make_room()
    events = (await world.call("FilterLogEvents", logGroupName=GROUP))["events"]
    assert 7000 < len(events)
    assert {START_MS + 7} == {event["timestamp"] for event in events}
    assert "moorage: the oldest " == events[0]["message"][:20]
    await keeper(world, stream_bytes_max=MIB // 2).make_room()
    assert START_MS + 7 == (await world.call("FilterLogEvents", logGroupName=GROUP))["events"][0]["timestamp"]


async def test_what_instances_that_have_gone_left_goes_first(world: LogsWorld) -> None:
    living, older, newer = fill(world, "A/i-1", 900), fill(world, "A/i-2", 500, quiet=True), fill(world, "A/i-3", 300)
    with living.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        os.utime(living, (0, 0))
        await keeper(world, bytes_max=int(1.5 * MIB)).make_room()
        assert not older.exists()
        assert room(living) > 0.8 * MIB
        assert newer.exists(), "something was written to it a moment ago"
        await keeper(world, bytes_max=MIB).make_room()
        assert room(living) + room(newer) <= MIB


async def test_streams_of_ones_own_lose_lines_and_stay(world: LogsWorld) -> None:
    await world.call("CreateLogGroup", logGroupName="/own")
    await world.call("CreateLogStream", logGroupName="/own", logStreamName="s")
    events = [{"timestamp": START_MS + number, "message": f"{number:06}" + "x" * 900} for number in range(1000)]
    await world.call("PutLogEvents", logGroupName="/own", logStreamName="s", logEvents=events)
    (path,) = world.root.glob("*/.groups/*/*.log")
    os.utime(path, (0, 0))
    await keeper(world, bytes_max=MIB // 2).make_room()
    lines = await world.find_all(group="/own")
    assert 200 < len(lines) < 600
    assert f"{999:06}" == lines[-1][:6]
    late = [{"timestamp": START_MS + 998, "message": "late"}]
    await world.call("PutLogEvents", logGroupName="/own", logStreamName="s", logEvents=late)
    assert [f"{998:06}", "late", f"{999:06}"] == [line[:6] for line in (await world.find_all(group="/own"))[-3:]]
    assert room(path) < MIB // 2, "the hole has stayed one"


async def test_what_is_older_than_its_group_keeps_it_goes(world: LogsWorld) -> None:
    world.write("A/i-1", (0, "old"), (HOUR_MS, "young"), endpoint="iris")
    world.write("A/i-2", (0, "old"), endpoint="iris")
    world.write("A/i-3", (0, "kept"), endpoint="other")
    await world.call("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    world.clock.time = START + timedelta(days=1, minutes=30)
    await keeper(world).expire()
    assert ["young"] == await world.find_all()
    assert ["kept"] == await world.find_all(group="/aws/sagemaker/Endpoints/other")
    streams = (await world.call("DescribeLogStreams", logGroupName=GROUP))["logStreams"]
    assert ["A/i-1"] == [stream["logStreamName"] for stream in streams][:1]


async def test_an_instance_that_is_silent_keeps_its_stream(world: LogsWorld) -> None:
    path = fill(world, "A/i-1", 3, quiet=True)
    await world.call("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    world.clock.time = START + timedelta(days=9)
    with path.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        await keeper(world).expire()
        assert [] == await world.find_all()
        log.write("2026-11-30T03:00:00.000Z awake\n")
    assert ["awake"] == await world.find_all()
    await keeper(world).expire()
    assert path.exists()


async def test_without_a_policy_everything_is_kept(world: LogsWorld) -> None:
    await world.call("CreateLogGroup", logGroupName=GROUP)
    world.write("A/i-1", (0, "old"))
    world.clock.time = START + timedelta(days=4000)
    await keeper(world).expire()
    assert ["old"] == await world.find_all()


class OddPlaces(LogPlaces):
    """Whoever asks one thing for the first time meets a bug. `is_asked_again` is set at the second time."""

    def __init__(self, root: Path, asked: str) -> None:
        super().__init__(root)
        self.is_asked_again = asyncio.Event()
        self._asked = asked
        self._times = 0
        self._loop = asyncio.get_running_loop()

    def all_files(self) -> Iterator[Path]:
        self._meet("all_files")
        return super().all_files()

    def streams(self, region: str, group: str) -> dict[str, StreamFile]:
        self._meet("streams")
        return super().streams(region, group)

    def _meet(self, asked: str) -> None:
        self._times += asked == self._asked
        if asked == self._asked and self._times == 1:
            raise ValueError("a bug")
        if asked == self._asked and self._times == 2:
            self._loop.call_soon_threadsafe(self.is_asked_again.set)


@pytest.mark.parametrize("asked", ["all_files", "streams"])
async def test_it_goes_on_whatever_went_wrong(world: LogsWorld, asked: str) -> None:
    world.write("A/i-1", (0, "old"))
    await world.call("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    world.clock = NoWaiting()
    world.places = places = OddPlaces(world.root, asked)
    logs = keeper(world)
    logs.start()
    async with asyncio.timeout(60):
        await places.is_asked_again.wait()
    await logs.close()
