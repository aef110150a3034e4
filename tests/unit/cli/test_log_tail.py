"""The end of an endpoint's logs, followed: each line once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from moorage.api.server import Api
from moorage.cli.log_streams import LogTail
from moorage.cli.since import Since
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import InProcess, root_key_ring
from moorage.testing.logs_world import START_MS, LogsWorld


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    return LogsWorld(tmp_path)


@pytest.fixture
def client(world: LogsWorld) -> Iterator[Any]:
    with InProcess(Api([world.service], root_key_ring, clock=SystemClock())) as aws:
        yield aws.client("logs")


def messages(lines: Any) -> list[str]:
    return [line.message for line in lines]


@pytest.mark.parametrize("count", [0, 1, 2, 4, 100])
def test_the_last_lines_and_then_those_that_come(world: LogsWorld, client: Any, count: int) -> None:
    world.write("A/i-1", (0, "a"), (9000, "c"), (9002, "e"))
    world.write("A/i-2", (8000, "b"), (9001, "d"))
    tail = LogTail(client, "iris")
    everything = ["a", "b", "c", "d", "e"]
    assert everything[max(0, 5 - count) :] == messages(tail.last(count))
    assert [] == tail.new()
    world.write("A/i-2", (9001, "late"))
    world.write("A/i-1", (20_000, "next"))
    world.write("A/i-3", (19_999, "another's"))
    assert ["late", "another's", "next"] == messages(tail.new())
    assert [] == tail.new()


def test_nothing_yet(world: LogsWorld, client: Any) -> None:
    tail = LogTail(client, "iris")
    assert [] == tail.last(10)
    assert [] == tail.new()
    world.write("A/i-1", (0, "first"))
    assert ["first"] == messages(tail.new())


def test_only_what_is_asked_for(world: LogsWorld, client: Any) -> None:
    world.write("A/i-1", (0, "ERROR old"), (5000, "ERROR new"), (6000, "INFO"))
    tail = LogTail(client, "iris", since_ms=START_MS + 1000, pattern="ERROR")
    assert ["ERROR new"] == messages(tail.last(10))
    world.write("A/i-1", (7000, "INFO"), (8000, "ERROR next"))
    assert ["ERROR next"] == messages(tail.new())


def test_since_is_a_time_or_so_long_ago() -> None:
    since = Since()
    assert datetime(2026, 11, 21, 8, 30, tzinfo=UTC) == since.convert("2026-11-21T08:30:00", None, None)
    assert datetime(2026, 11, 21, 7, 30, tzinfo=UTC) == since.convert("2026-11-21T08:30:00+01:00", None, None)
    ago = datetime.now(UTC) - since.convert("2h", None, None)
    assert abs(ago - timedelta(hours=2)) < timedelta(minutes=1)
    with pytest.raises(click.BadParameter, match="is neither like 10m"):
        since.convert("yesterday", None, None)
