"""Tasks that go on in the background, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from moorage.system.tasks import BEGUN_ANEW_AFTER_S, BackgroundTasks, to_its_end
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_what_is_kept_begins_anew_after_whatever_it_raised(caplog: pytest.LogCaptureFixture) -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(5)
        raise RuntimeError("unforeseen")

    tasks = BackgroundTasks()
    tasks.keep(work, name="the work", clock=LoopClock())
    await asyncio.sleep(3 * (5 + BEGUN_ANEW_AFTER_S) - 0.5)
    await tasks.close()
    await asyncio.sleep(100)

    first = begun[0]
    assert [0.0, 6.0, 12.0] == pytest.approx([at - first for at in begun])
    assert ["the work failed, and begins anew"] * 3 == caplog.messages


async def test_closing_ends_what_is_kept_while_it_waits_as_well() -> None:
    tasks = BackgroundTasks()

    async def work() -> None:
        raise RuntimeError("unforeseen")

    tasks.keep(work, name="the work", clock=LoopClock())
    await asyncio.sleep(BEGUN_ANEW_AFTER_S / 2)
    async with asyncio.timeout(10):
        await tasks.close()
        await tasks.join()


@pytest.mark.parametrize("error", [None, RuntimeError("on purpose")])
async def test_who_is_cancelled_is_told_so_when_the_work_has_ended(error: Exception | None) -> None:
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")
        await asyncio.sleep(5)
        begun.append("ended")
        if error is not None:
            raise error

    waiting = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ["work", "ended"] == begun


async def test_what_the_work_answers_or_raises_is_the_callers() -> None:
    assert "well" == await to_its_end(asyncio.sleep(1, "well"))
    with pytest.raises(TimeoutError):
        await to_its_end(asyncio.wait_for(asyncio.sleep(5), 1))
