"""Work that is done once, whoever waits for it."""

from __future__ import annotations

import asyncio

import pytest

from moorage.runners.process.environments.sharing import Sharing


class Work:
    """Says `begun`, waits to be let go, says `done`, and answers how often it was begun."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self._fault = fault

    async def __call__(self, say) -> int:
        self.begun += 1
        say("begun")
        await self.gate.wait()
        if self._fault:
            raise self._fault
        say("done")
        return self.begun


async def test_all_who_join_hear_everything_and_get_the_one_result():
    sharing, work, heard = Sharing(), Work(), [[], []]
    first = asyncio.create_task(sharing.join("a", work, heard[0].append))
    await asyncio.sleep(0)
    second = asyncio.create_task(sharing.join("a", work, heard[1].append))
    await asyncio.sleep(0)
    work.gate.set()

    assert [1, 1] == [await first, await second]
    assert [["begun", "done"]] * 2 == heard


async def test_other_keys_are_other_work_and_so_is_what_comes_later():
    sharing, work = Sharing(), Work()
    work.gate.set()

    assert 1 == await sharing.join("a", work, print)
    assert 2 == await sharing.join("b", work, print)
    assert 3 == await sharing.join("a", work, print)


async def test_a_fault_is_everybodys_and_the_next_one_begins_anew():
    sharing, work = Sharing(), Work(OSError("full"))
    joined = [asyncio.create_task(sharing.join("a", work, print)) for _ in range(2)]
    await asyncio.sleep(0)
    work.gate.set()

    for task in joined:
        with pytest.raises(OSError, match="full"):
            await task
    assert 1 == work.begun
    with pytest.raises(OSError, match="full"):
        await sharing.join("a", work, print)
    assert 2 == work.begun


async def test_work_goes_on_when_the_only_one_who_waits_is_gone():
    sharing, work, heard = Sharing(), Work(), []
    waiting = asyncio.create_task(sharing.join("a", work, print))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    joined = asyncio.create_task(sharing.join("a", work, heard.append))
    await asyncio.sleep(0)
    work.gate.set()

    assert 1 == await joined
    assert ["begun", "done"] == heard


async def test_closing_gives_up_what_is_under_way():
    sharing, work = Sharing(), Work()
    waiting = asyncio.create_task(sharing.join("a", work, print))
    await asyncio.sleep(0)
    await sharing.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
