"""Following a group's streams gives each event once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from moorage.system.clock import SystemClock
from moorage.telemetry.log_follower import Follower
from moorage.telemetry.log_trim import empty
from moorage.telemetry.log_writer import PutTimes, put_events
from moorage.testing.logs_world import GROUP, START_MS, LogsWorld


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    world = LogsWorld(tmp_path)
    world.write("A/i-1", (0, "before"))
    return world


def new(follower: Follower) -> list[tuple[str, str]]:
    return [(stream, event.message) for stream, event in follower.new()]


def test_what_comes_from_now_on(world: LogsWorld) -> None:
    follower = Follower(world.places, "us-east-1", GROUP)
    assert [] == new(follower)
    path = world.write("A/i-1", (1, "one"), (2, "two"))
    world.write("A/i-2", (0, "a new stream's"))
    assert [("A/i-1", "one"), ("A/i-1", "two"), ("A/i-2", "a new stream's")] == new(follower)
    assert [] == new(follower)
    with path.open("a") as file:
        file.write("half")
        file.flush()
        assert [] == new(follower)
        file.write(" a line\n")
    assert [("A/i-1", "half a line")] == new(follower)


def test_streams_that_are_not_wanted(world: LogsWorld) -> None:
    follower = Follower(world.places, "us-east-1", GROUP, is_wanted=lambda name: name.startswith("B/"))
    world.write("A/i-1", (1, "one"))
    world.write("B/i-1", (1, "wanted"))
    assert [("B/i-1", "wanted")] == new(follower)


def test_a_stream_that_was_emptied_or_made_anew(world: LogsWorld) -> None:
    follower = Follower(world.places, "us-east-1", GROUP)
    empty(world.places.streams("us-east-1", GROUP)["A/i-1"])
    path = world.write("A/i-1", (1, "behind the hole"))
    assert [("A/i-1", "behind the hole")] == new(follower)
    path.unlink()
    assert [] == new(follower)
    world.write("A/i-1", (2, "anew"))
    assert [("A/i-1", "anew")] == new(follower)


def test_events_that_come_late(world: LogsWorld) -> None:
    world.places.create("us-east-1", "/own", "s", now_ms=START_MS)
    stream = world.places.streams("us-east-1", "/own")["s"]
    put_events(stream, [(10, "b")], put_at=lambda: 100)
    follower = Follower(world.places, "us-east-1", "/own")
    put_events(stream, [(5, "a")], put_at=lambda: 150)
    assert [("s", "a")] == new(follower)
    put_events(stream, [(20, "c")], put_at=lambda: 200)
    assert [("s", "c")] == new(follower)
    put_events(stream, [(6, "between")], put_at=lambda: 300)
    assert [("s", "between")] == new(follower)
    assert [] == new(follower)


def test_a_file_that_was_written_anew_is_told_though_it_has_the_number_of_one_before(world: LogsWorld) -> None:
    """As on ext4, where the second file that is made has the number of the one that the first has replaced."""
    world.places.create("us-east-1", "/own", "s", now_ms=START_MS)
    stream = world.places.streams("us-east-1", "/own")["s"]
    before = Follower(world.places, "us-east-1", "/own")
    put_events(stream, [(10 + number, f"{number}") for number in range(9)], put_at=lambda: 100)
    assert 9 == len(new(before))
    put_events(stream, [(5, "a")], put_at=lambda: 200)
    put_events(stream, [(6, "b")], put_at=lambda: 300)
    read = replace(before.known["s"], file=stream.path.stat().st_ino)
    follower = Follower(world.places, "us-east-1", "/own", known={"s": read})
    assert [("s", "a"), ("s", "b")] == new(follower)
    put_events(stream, [(30, "c")], put_at=lambda: 400)
    assert [("s", "c")] == new(follower)


def test_lines_that_were_taken_back_are_not_missed(world: LogsWorld) -> None:
    follower = Follower(world.places, "us-east-1", GROUP)
    path = world.write("A/i-1", *((number, "x" * 100) for number in range(1000)))
    assert 1000 == len(new(follower))
    for _ in range(2):
        empty(world.places.streams("us-east-1", GROUP)["A/i-1"])
        world.write("A/i-1", (2000, "next"))
        assert [("A/i-1", "next")] == new(follower)
    assert path.exists()


class StandingClock(SystemClock):
    """Tells the same time again and again."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


def test_events_that_are_put_at_the_same_time_are_told_apart(world: LogsWorld) -> None:
    put_at = PutTimes(StandingClock())
    world.places.create("us-east-1", "/own", "s", now_ms=START_MS)
    stream = world.places.streams("us-east-1", "/own")["s"]
    follower = Follower(world.places, "us-east-1", "/own")
    put_events(stream, [(10, "a")], put_at=put_at)
    assert [("s", "a")] == new(follower)
    put_events(stream, [(5, "late")], put_at=put_at)
    assert [("s", "late")] == new(follower)


def test_nothing_that_several_put_at_once_is_lost_or_told_twice(world: LogsWorld) -> None:
    put_at = PutTimes(StandingClock())
    world.places.create("us-east-1", "/own", "s", now_ms=START_MS)
    stream = world.places.streams("us-east-1", "/own")["s"]
    follower = Follower(world.places, "us-east-1", "/own")

    def put(worker: int) -> None:
        for turn in range(40):
            put_events(stream, [((7 * turn + 3 * worker) % 40, f"{worker} {turn}")], put_at=put_at)

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(put, worker) for worker in range(4)]
        found = []
        while not all(worker.done() for worker in workers):
            found += new(follower)
        for worker in workers:
            worker.result()
    found += new(follower)
    assert sorted(("s", f"{worker} {turn}") for worker in range(4) for turn in range(40)) == sorted(found)
