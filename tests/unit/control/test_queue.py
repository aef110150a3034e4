"""The work queue, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from moorage.control.queue import WorkQueue
from moorage.testing.builders import T0
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Recorder:
    """Work that takes a second, and remembers when each pass began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []
        self.running: set[str] = set()

    async def __call__(self, key: str) -> None:
        assert key not in self.running
        self.running.add(key)
        self.began.append((key, asyncio.get_running_loop().time()))
        await asyncio.sleep(1)
        self.running.discard(key)


async def test_one_key_is_worked_on_by_one_at_a_time_and_once_more_if_added_meanwhile() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    queue.add("a")
    await asyncio.sleep(0.5)
    queue.add("a")
    queue.add("a")
    await asyncio.sleep(5)
    assert [("a", 0), ("a", 1)] == work.began


async def test_different_keys_do_not_wait_for_each_other() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    queue.add("a")
    queue.add("b")
    await asyncio.sleep(5)
    assert [("a", 0), ("b", 0)] == work.began


async def test_of_several_times_the_earliest_counts() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    for seconds in (30, 10, 20):
        queue.add_at("a", T0 + timedelta(seconds=seconds))
    await asyncio.sleep(60)
    assert [("a", 10)] == work.began


async def test_working_now_makes_the_timer_needless() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    queue.add_at("a", T0 + timedelta(seconds=10))
    queue.add("a")
    await asyncio.sleep(60)
    assert [("a", 0)] == work.began


async def test_a_time_in_the_past_is_now() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    queue.add_at("a", T0 - timedelta(seconds=10))
    await asyncio.sleep(2)
    assert [("a", 0)] == work.began


async def test_an_error_costs_one_pass_of_one_key(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    async def work(key: str) -> None:
        if key == "bad":
            raise ZeroDivisionError
        done.append(key)

    queue = WorkQueue(work, LoopClock())
    queue.add("bad")
    queue.add("good")
    await asyncio.sleep(1)
    queue.add("bad")
    queue.add("good")
    await asyncio.sleep(1)
    assert ["good", "good"] == done
    assert 2 == len(caplog.records)


async def test_closing_ends_work_and_timers() -> None:
    work = Recorder()
    queue = WorkQueue(work, LoopClock())
    queue.add("a")
    queue.add_at("b", T0 + timedelta(seconds=10))
    await asyncio.sleep(0.5)
    await queue.close()
    assert 1 == len(asyncio.all_tasks())
