"""The life of an instance with many models: it is ready with none, and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from moorage.runtime.frameworks.base import Say
from moorage.runtime.multi_model import memory
from moorage.runtime.multi_model.annex.kind import AnnexedModels
from moorage.runtime.multi_model.annex.landlord import Annex, BothMemories
from moorage.runtime.multi_model.annex.process import LOADERS, SWITCH_S, AnnexProcess, MakeKind, fork_annex
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.lane import Crew
from moorage.runtime.multi_model.limits import Limits, read_limits
from moorage.runtime.multi_model.loading import Loader
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.room import Loaded
from moorage.runtime.multi_model.routes import begin_requests
from moorage.runtime.multi_model.shelf import Shelf
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.server import STOP_GRACE_S, listen
from moorage.runtime.settings import Settings
from moorage.runtime.termination import hear_termination
from moorage.runtime.watchdog import Watchdog
from moorage.runtime.workers import say_end

EXIT_ANNEX_ENDED: Final = 70
_LOOK_S: Final = 1.0


def serve_models(
    told: Mapping[str, Any],
    framework: str,
    settings: Settings,
    sock: socket.socket,
    on_listening: Callable[[], None],
    *,
    say: Say,
) -> int:
    """Serve on a bound socket until SIGTERM, then finish what is in flight. Answers the status to exit with.

    `told` is `multi_model` of `launch.json`, see `Limits`. Raises OSError.
    """
    memory.share_one_heap()
    gc.freeze()  # what the nursery imported is here to stay: no collection has to look at it again
    limits = read_limits(told)

    def make_kind(crew: Crew, threads: Executor) -> FrameworkModels:
        return FrameworkModels(framework, os.environ, settings, crew=crew, threads=threads, say=say)

    annex = fork_annex(make_kind, threads=limits.threads, settings=settings)
    instance = Instance(limits, settings, annex, make_kind, say)
    return uvloop.run(instance.serve(sock, on_listening))


@dataclass(frozen=True, slots=True)
class Instance:
    """The process of an instance that callers and agent know. `annex` is the one beside it."""

    limits: Limits
    settings: Settings
    annex: AnnexProcess
    make_kind: MakeKind
    say: Say

    async def serve(self, sock: socket.socket, on_listening: Callable[[], None]) -> int:
        """Serve on a bound socket until SIGTERM or the end of the annex. Answers the status to exit with."""
        terminated = asyncio.ensure_future(hear_termination().wait())
        sys.setswitchinterval(SWITCH_S)
        annex = Annex(self.annex.channel, body_bytes_max=self.settings.body_bytes_max)
        crew, loaders = Crew(self.limits.threads), ThreadPoolExecutor(LOADERS, thread_name_prefix="loader")
        models = self._models(annex, crew, loaders)
        watchdog = Watchdog(crew, self.settings.timeout_s)
        looking = asyncio.create_task(_look_for_changes(models))
        server = await listen(begin_requests(models), sock, self.settings.body_bytes_max)
        on_listening()
        ends: set[asyncio.Future[Any]] = {terminated, annex.ended}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        status = 0 if terminated.done() else self._say_end()
        await server.close(grace_s=STOP_GRACE_S if status == 0 else 0.0)
        looking.cancel()
        terminated.cancel()
        annex.close()
        watchdog.close()
        crew.shutdown(wait=False, cancel_futures=True)
        loaders.shutdown(wait=False, cancel_futures=True)
        return status

    def _models(self, annex: Annex, crew: Crew, loaders: ThreadPoolExecutor) -> Models:
        limits = self.limits
        shelf: Shelf[Loaded] = Shelf(bytes_max=limits.bytes_max, count_max=limits.count_max, pinned=limits.pinned)
        statistics = Statistics()
        own = self.make_kind(crew, loaders)
        kind = AnnexedModels(annex, own, body_bytes_max=self.settings.body_bytes_max)
        memories = BothMemories(annex, self.annex.pid, loaders)
        loader = Loader(shelf, kind, threads=loaders, limits=limits, memory=memories, statistics=statistics)
        return Models(shelf, loader, limits=limits, statistics=statistics)

    def _say_end(self) -> int:
        pid, ending = self.annex.pid, "cannot be reached"
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # the model's code may wait for our children
            os.kill(pid, signal.SIGKILL)  # it may have closed its channel and live on
            ending = say_end(os.waitpid(pid, 0)[1])
        self.say(f"the process that loads models (pid {pid}) {ending}: the instance gives up")
        return EXIT_ANNEX_ENDED


async def _look_for_changes(models: Models) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        models.want_changes()
