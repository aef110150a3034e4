"""The control process as the supervisor sees it. There is never more than one: a second would decide against it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from moorage.app.child_process import ChildProcess
from moorage.app.children import Restarted, accepts
from moorage.app.kept_process import KeptProcess
from moorage.app.settings import Settings
from moorage.system.clock import Clock


class ControlPart:
    """How control is started, and when it is ready."""

    name: Final = "control"
    end_within_s: Final = 35.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def spawn(self) -> ChildProcess:
        return await ChildProcess.spawn("control", self._settings)

    async def obstacle(self, process: ChildProcess) -> str | None:
        return None if await accepts(self._settings.control_socket) else "does not answer"


class ControlChild:
    """Control, kept running."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._process = KeptProcess(ControlPart(settings), clock)

    async def start(self) -> None:
        await self._process.start()

    async def restart(self) -> AsyncIterator[Restarted]:
        yield await self._process.restart()

    async def stop(self) -> None:
        await self._process.stop()
