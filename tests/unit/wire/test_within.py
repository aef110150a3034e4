"""A limit of time, and a process that stands still. No sockets."""

from __future__ import annotations

import asyncio

import pytest

from moorage.wire.within import within


async def test_what_takes_too_long_is_given_up_and_may_say_good_bye() -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ends.append("over")

    with pytest.raises(TimeoutError):
        await within(0.001, work())
    assert ["over"] == ends


async def test_what_came_while_the_process_stood_still_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    time_until_now = loop.time

    async def work() -> str:
        monkeypatch.setattr(loop, "time", lambda: time_until_now() + 3600)
        for _ in range(5):
            await asyncio.sleep(0)
        return "done"

    assert "done" == await within(1.0, work())
