"""Keeping processes running and exchanging them, with real processes that do next to nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.app import child_process
from moorage.app.child_process import MAKE_WAY, ChildProcess
from moorage.app.children import ChildFailed
from moorage.app.kept_process import KeptProcess
from moorage.app.watchdog import watch
from moorage.system.clock import SystemClock

OBEDIENT = "import time; time.sleep(3600)"
SHORT_LIVED = "pass"
STUBBORN = f"import signal, time; signal.signal({MAKE_WAY.value}, signal.SIG_IGN); print(flush=True); time.sleep(3600)"


class Scripts:
    """A part whose next process runs `script`. It is ready at once, unless there is an `obstacle_there`."""

    name = "script"
    end_within_s = 5.0

    def __init__(self) -> None:
        self.script = OBEDIENT
        self.obstacle_there: str | None = None
        self.hung: set[int] = set()
        self.spawned: list[ChildProcess] = []

    async def spawn(self) -> ChildProcess:
        started = await asyncio.create_subprocess_exec(sys.executable, "-c", self.script, stdout=-1)
        process = ChildProcess(started)
        self.spawned.append(process)
        if self.script == STUBBORN:
            await started.stdout.readline()  # from then on it ignores the signal
        return process

    async def obstacle(self, process: ChildProcess) -> str | None:
        return self.obstacle_there

    async def is_alive(self, process: ChildProcess, *, within_s: float) -> bool:
        return process.pid not in self.hung


class HurriedClock(SystemClock):
    """Lets a tenth of the time pass that is waited for."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 10)


@pytest.fixture
async def part() -> AsyncIterator[Scripts]:
    part = Scripts()
    yield part
    assert all(process.has_ended for process in part.spawned), "a process was left behind"


@pytest.fixture
async def kept(part: Scripts) -> AsyncIterator[KeptProcess]:
    kept = KeptProcess(part, HurriedClock())
    yield kept
    await kept.stop()


async def test_a_process_that_dies_is_started_again(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    os.kill(pid_of(kept), signal.SIGKILL)
    await until(lambda: len(part.spawned) == 2)
    assert pid_of(kept) == part.spawned[1].pid


async def test_one_that_ends_again_and_again_before_it_is_ready_has_failed(kept: KeptProcess, part: Scripts) -> None:
    part.script = SHORT_LIVED
    part.obstacle_there = "does not answer"
    with pytest.raises(ChildFailed, match="script process does not start: it exited with code 0"):
        await kept.start()


async def test_why_one_ended_is_said_once_and_by_nobody_else(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from moorage.app.last_words import leaving_last_words\n"
        "with leaving_last_words(pathlib.Path(sys.argv[1])):\n"
        "    raise ExceptionGroup('of a task group', [OSError('no room\\nat all')])"
    )
    ended = [ChildProcess(await _run(script, tmp_path), run_dir=tmp_path), ChildProcess(await _run("", tmp_path))]
    for _ in range(2):
        assert ["exited with code 1 (no room)", "exited with code 0"] == [await each.wait() for each in ended]
    assert [] == list(tmp_path.iterdir())


async def _run(script: str, argument: Path) -> asyncio.subprocess.Process:
    quiet = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(sys.executable, "-c", script, argument, stderr=quiet)


async def test_a_restart_ends_one_and_starts_another_which_is_no_failure(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    for number in range(1, 6):
        restarted = await kept.restart()
        assert number + 1 == len(part.spawned)
        assert ("script", pid_of(kept)) == (restarted.part, restarted.pid)
        assert part.spawned[number - 1].has_ended


async def test_a_successor_takes_over_before_its_predecessor_is_told_to_end(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    part.obstacle_there = "is not ready"
    replacing = asyncio.create_task(kept.replace(make_way_within_s=5))
    await until(lambda: len(part.spawned) == 2)
    await asyncio.sleep(0.1)
    before, successor = part.spawned
    assert (before.pid, False) == (pid_of(kept), before.has_ended)
    part.obstacle_there = None
    assert successor.pid == (await replacing).pid == pid_of(kept)
    await until(lambda: before.has_ended)
    await asyncio.sleep(0.1)
    assert 2 == len(part.spawned)  # the end of the predecessor is no reason to start a third


async def test_a_successor_that_dies_early_leaves_everything_as_it_was(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    part.script, part.obstacle_there = SHORT_LIVED, "does not answer"
    with pytest.raises(ChildFailed, match="script exited with code 0 before it was ready"):
        await kept.replace(make_way_within_s=5)
    assert (part.spawned[0].pid, False) == (pid_of(kept), part.spawned[0].has_ended)


async def test_a_replacement_that_is_broken_off_leaves_everything_as_it_was(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    part.obstacle_there = "does not answer"
    replacing = asyncio.create_task(kept.replace(make_way_within_s=5))
    await until(lambda: len(part.spawned) == 2)
    replacing.cancel()
    await asyncio.wait([replacing])
    assert [False, True] == [process.has_ended for process in part.spawned]


async def test_a_predecessor_that_dies_meanwhile_leaves_one_process(kept: KeptProcess, part: Scripts) -> None:
    await kept.start()
    part.obstacle_there = "is not ready"
    replacing = asyncio.create_task(kept.replace(make_way_within_s=5))
    await until(lambda: len(part.spawned) == 2)
    os.kill(pid_of(kept), signal.SIGKILL)
    await until(lambda: len(part.spawned) == 3)  # somebody has to serve until the successor is ready
    part.obstacle_there = None
    successor = (await replacing).pid
    await until(lambda: [successor] == [process.pid for process in part.spawned if not process.has_ended])


async def test_a_predecessor_that_does_not_make_way_is_killed(kept: KeptProcess, part: Scripts) -> None:
    part.script = STUBBORN
    await kept.start()
    await kept.replace(make_way_within_s=0.1)
    await until(lambda: part.spawned[0].has_ended)


async def test_a_process_that_hangs_is_killed_and_started_again(
    kept: KeptProcess, part: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "LAST_WORDS_S", 60.0)
    await kept.start()
    watching = asyncio.create_task(watch(kept, part, HurriedClock()))
    await asyncio.sleep(0.5)
    assert 1 == len(part.spawned)
    part.hung.add(pid_of(kept))
    await until(lambda: len(part.spawned) == 2)
    assert "was killed by SIGABRT" == await part.spawned[0].wait()
    watching.cancel()


async def test_a_predecessor_that_hangs_while_it_makes_way_is_killed(kept: KeptProcess, part: Scripts) -> None:
    part.script = STUBBORN
    await kept.start()
    await kept.replace(make_way_within_s=60)
    part.hung.add(part.spawned[0].pid)
    watching = asyncio.create_task(watch(kept, part, HurriedClock()))
    await until(lambda: part.spawned[0].has_ended)
    assert not part.spawned[1].has_ended
    watching.cancel()


def pid_of(kept: KeptProcess) -> int:
    assert kept.current is not None
    return kept.current.pid


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)
