"""One process of a part of Moorage, from its start to its end. Who keeps it running is not known here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

from moorage.app.children import ChildFailed
from moorage.app.last_words import take_last_words
from moorage.app.settings import Settings, dump
from moorage.runners.process.procfs import say_exit_code

LAST_WORDS_S: Final = 1.0
MAKE_WAY: Final = signal.SIGUSR1
"""Tells a process that has a successor to end without a caller noticing, for which SIGTERM leaves no time."""


def command_line(part: str, *arguments: object) -> list[str]:
    """What starts a part: see `moorage.app.__main__`."""
    return [sys.executable, "-m", "moorage.app", part, str(os.getpid()), *map(str, arguments)]


async def check_code(settings: Settings) -> None:
    """See whether the code that is installed now can be loaded, in a process of its own. Raises ChildFailed."""
    process = await asyncio.create_subprocess_exec(
        *command_line("check"), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, process_group=0
    )
    _, said = await process.communicate(dump(settings))
    if process.returncode != 0:
        reason = said.decode(errors="replace").strip().splitlines()[-1:]
        raise ChildFailed(f"The code that is installed now does not load: {''.join(reason)}")


class ChildProcess:
    """A process that was started. Made by `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, *, run_dir: Path | None = None) -> None:
        self._process = process
        self._run_dir = run_dir
        self._last_words = ""
        self.was_told_to_end = False

    @classmethod
    async def spawn(
        cls, part: str, settings: Settings, *, arguments: tuple[object, ...] = (), pass_fds: tuple[int, ...] = ()
    ) -> ChildProcess:
        """Start one. It gets the settings on its standard input. Raises OSError."""
        process = await asyncio.create_subprocess_exec(
            *command_line(part, *arguments),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=pass_fds,
            process_group=0,  # Ctrl-C in the terminal is for the supervisor, which ends its children in order
        )
        assert process.stdin is not None
        take_last_words(settings.run_dir, process.pid)  # of one long ago, to whose starter nothing could be told
        process.stdin.write(dump(settings))
        process.stdin.close()
        return cls(process, run_dir=settings.run_dir)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def wait(self) -> str:
        """Return when it has ended, with what became of it, and why if it has said so."""
        end = say_exit_code(await self._process.wait())
        if self._run_dir is not None:
            self._last_words = take_last_words(self._run_dir, self.pid) or self._last_words
        return f"{end} ({self._last_words})" if self._last_words else end

    async def end(self, *, within_s: float) -> bool:
        """Tell it to end and return when it is gone; whether it went by itself in that time, or had to be killed."""
        return await self._end(signal.SIGTERM, within_s)

    async def make_way(self, *, within_s: float) -> bool:
        """The same for one whose successor is there."""
        return await self._end(MAKE_WAY, within_s)

    async def abort(self) -> None:
        """Have it say where it is, for which it needs no event loop, and kill it."""
        self._signal(signal.SIGABRT)
        await self._gone(LAST_WORDS_S)

    async def _end(self, by: signal.Signals, within_s: float) -> bool:
        self.was_told_to_end = True
        self._signal(by)
        return await self._gone(within_s)

    async def _gone(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
