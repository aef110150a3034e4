"""Following a group's streams gives each event once."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.telemetry.log_follower import Follower
from moorage.telemetry.log_trim import empty
from moorage.telemetry.log_writer import put_events
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
    put_events(stream, [(10, "b")], now_ms=100)
    follower = Follower(world.places, "us-east-1", "/own")
    put_events(stream, [(5, "a")], now_ms=150)
    assert [("s", "a")] == new(follower)
    put_events(stream, [(20, "c")], now_ms=200)
    assert [("s", "c")] == new(follower)
    put_events(stream, [(6, "between")], now_ms=300)
    assert [("s", "between")] == new(follower)
    assert [] == new(follower)
