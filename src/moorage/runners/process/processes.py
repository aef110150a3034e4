"""The processes of one instance: the only container's, or each container's and the front's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from moorage.runners.process.instance_process import InstanceProcess
from moorage.runners.process.place import Place, Places
from moorage.runners.process.process_folder import Claim
from moorage.system.tasks import all_of

_IDLE_GRACE_S: Final = 5.0
"""What containers have at least when their front is gone, and with it whatever they had to do."""


class Processes:
    """All of them, by their places. `main` answers for the instance; it is one of `containers` if there is no front."""

    def __init__(self, places: Places, make: Callable[[Place], InstanceProcess], *, stop_grace_s: float) -> None:
        self.places = places
        self.main = make(places.main)
        self.containers: Sequence[InstanceProcess] = (
            tuple(map(make, places.containers)) if places.has_front else (self.main,)
        )
        self._all = tuple(dict.fromkeys((self.main, *self.containers)))
        self._stop_grace_s = stop_grace_s

    @property
    def pids(self) -> tuple[int, ...]:
        """Of those that live."""
        return tuple(process.pid for process in self._all if process.pid is not None)

    def look(self, *, is_same_boot: bool) -> list[Claim]:
        """Who claimed their folders, see `InstanceProcess.look`."""
        return [process.look(is_same_boot=is_same_boot) for process in self._all]

    async def find(self) -> bool:
        """Watch those that are there; whether all are."""
        return all(await all_of(process.find() for process in self._all))

    async def until_ready(self) -> None:
        """Wait until all answer a ping."""
        await all_of(process.until_ready() for process in self.containers)
        if self.places.has_front:
            await self.main.until_ready()

    async def first_ended(self, work: Coroutine[Any, Any, None]) -> InstanceProcess | None:
        """Do the work while all processes live; the first that has ended, None if the work was done before."""
        working = asyncio.ensure_future(work)
        endings = {asyncio.ensure_future(process.ended()): process for process in self._all}
        try:
            await asyncio.wait({working, *endings}, return_when=asyncio.FIRST_COMPLETED)
            for ending, process in endings.items():
                if ending.done():
                    return process
            await working
            return None
        finally:
            for task in (working, *endings):
                task.cancel()
            await asyncio.wait({working, *endings})

    def failure(self) -> str | None:
        """Why the instance can never serve, if one of them has written that down."""
        return next(filter(None, (process.failure() for process in self._all)), None)

    async def end(self) -> None:
        """SIGTERM, SIGKILL after the grace. The front goes first, and what it has in flight: that needs the others."""
        grace_s = self._stop_grace_s
        if self.places.has_front:
            began = asyncio.get_running_loop().time()
            await self.main.end(grace_s=grace_s)
            grace_s = max(_IDLE_GRACE_S, grace_s - (asyncio.get_running_loop().time() - began))
        await all_of(process.end(grace_s=grace_s) for process in self.containers)

    async def kill(self) -> None:
        """SIGKILL, and wait for their end."""
        await all_of(process.kill() for process in self._all)

    def let_go(self) -> None:
        """Listen no longer to what they report."""
        for process in self._all:
            process.let_go()
