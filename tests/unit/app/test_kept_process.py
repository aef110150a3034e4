"""A kept process that is exchanged and ended, in virtual time: who has how long for what."""

from __future__ import annotations

import asyncio
import signal
from typing import Any, Final

import pytest

from moorage.app.child_process import MAKE_WAY, ChildProcess
from moorage.app.children import STARTS_MAX, ChildFailed
from moorage.app.kept_process import KeptProcess
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

END_WITHIN_S = 70.0
MAKE_WAY_WITHIN_S = 490.0


class FakeProcess:
    """A process that ends so long after the first signal that asks it to."""

    def __init__(self, pid: int, takes_s: float) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.signals: list[tuple[float, signal.Signals]] = []
        self._takes_s = takes_s
        self._over = asyncio.Event()

    def send_signal(self, number: signal.Signals) -> None:
        loop = asyncio.get_running_loop()
        self.signals.append((round(loop.time()), number))
        if number == signal.SIGKILL:
            self.end(-number)
        elif len(self.signals) == 1:
            loop.call_later(self._takes_s, self.end, 0)

    async def wait(self) -> int | None:
        await self._over.wait()
        return self.returncode

    def end(self, code: int) -> None:
        """End it with this exit code."""
        if self.returncode is None:
            self.returncode = code
            self._over.set()


class FakePart:
    """Starts processes that are ready at once and take `takes_s` to end."""

    name: Final = "worker"
    end_within_s: Final = END_WITHIN_S

    def __init__(self) -> None:
        self.takes_s = 1.0
        self.spawned: list[FakeProcess] = []

    async def spawn(self) -> ChildProcess:
        process: Any = FakeProcess(len(self.spawned), self.takes_s)
        self.spawned.append(process)
        return ChildProcess(process)

    async def obstacle(self, process: ChildProcess) -> str | None:
        return None


class FaultyPart(FakePart):
    """Starts processes that are never ready and end by themselves after `lives_s`."""

    def __init__(self, lives_s: float) -> None:
        super().__init__()
        self._lives_s = lives_s

    async def spawn(self) -> ChildProcess:
        process = await super().spawn()
        asyncio.get_running_loop().call_later(self._lives_s, self.spawned[-1].end, 1)
        return process

    async def obstacle(self, process: ChildProcess) -> str | None:
        return "is not ready"


@pytest.fixture
def part() -> FakePart:
    return FakePart()


async def replaced(part: FakePart, *, takes_s: float) -> KeptProcess:
    """A kept process whose first one takes so long to end and has a successor."""
    kept = KeptProcess(part, LoopClock())
    part.takes_s = takes_s
    await kept.start()
    part.takes_s = 1.0
    await kept.replace(make_way_within_s=MAKE_WAY_WITHIN_S)
    return kept


async def test_one_that_makes_way_may_take_longer_than_one_that_somebody_waits_for(part: FakePart) -> None:
    kept = await replaced(part, takes_s=400.0)
    await asyncio.sleep(401)
    await kept.stop()

    assert ([(0, MAKE_WAY)], 0) == (part.spawned[0].signals, part.spawned[0].returncode)


async def test_but_not_for_ever(part: FakePart) -> None:
    kept = await replaced(part, takes_s=10_000.0)
    await asyncio.sleep(MAKE_WAY_WITHIN_S + 1)
    await kept.stop()

    assert [(0, MAKE_WAY), (490, signal.SIGKILL)] == part.spawned[0].signals


async def test_a_stop_ends_predecessors_too_and_gives_them_no_longer(part: FakePart) -> None:
    kept = await replaced(part, takes_s=400.0)
    await asyncio.sleep(100)
    await kept.stop()

    assert 100 + END_WITHIN_S == round(asyncio.get_running_loop().time())
    first, second = part.spawned
    assert [(0, MAKE_WAY), (100, signal.SIGTERM), (170, signal.SIGKILL)] == first.signals
    assert [(100, signal.SIGTERM)] == second.signals


@pytest.mark.parametrize("lives_s", [0.5, 9.0])
async def test_a_start_that_fails_counts_however_long_it_takes(lives_s: float) -> None:
    part = FaultyPart(lives_s)
    kept = KeptProcess(part, LoopClock())
    with pytest.raises(ChildFailed, match="The worker process does not start: it exited with code 1"):
        await kept.start()
    assert STARTS_MAX == len(part.spawned)
    await kept.stop()
