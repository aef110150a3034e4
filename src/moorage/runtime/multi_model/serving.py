"""The life of an instance with many models: it is ready with none, and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from moorage.runtime.frameworks.base import Say
from moorage.runtime.multi_model import memory
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.lane import Crew
from moorage.runtime.multi_model.limits import Limits, read_limits
from moorage.runtime.multi_model.loading import Loaded, Loader
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.routes import begin_requests
from moorage.runtime.multi_model.shelf import Shelf
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.server import STOP_GRACE_S, listen
from moorage.runtime.settings import Settings
from moorage.runtime.termination import hear_termination
from moorage.runtime.watchdog import Watchdog

_LOADERS: Final = 8
"""Threads that load and close models. They wait for each other, but for what takes very long."""
_LOOK_S: Final = 1.0
_SWITCH_S: Final = 0.0001
"""How long Python lets a thread that loads a model go on while the event loop has something to do."""


async def serve_models(
    told: Mapping[str, Any],
    framework: str,
    settings: Settings,
    sock: socket.socket,
    on_listening: Callable[[], None],
    *,
    say: Say,
) -> None:
    """Serve on a bound socket until SIGTERM, then finish what is in flight and return. Raises OSError.

    `told` is `multi_model` of `launch.json`, see `Limits`.
    """
    terminated = hear_termination()
    memory.share_one_heap()
    gc.freeze()  # what the nursery imported is here to stay: no collection has to look at it again
    sys.setswitchinterval(_SWITCH_S)
    limits = read_limits(told)
    crew = Crew(limits.threads)
    loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="loader")
    models = _models(FrameworkModels(framework, os.environ, settings, crew=crew, say=say), loaders, limits)
    watchdog = Watchdog(crew, settings.timeout_s)
    looking = asyncio.create_task(_look_for_changes(models))
    server = await listen(begin_requests(models), sock, settings.body_bytes_max)
    on_listening()
    await terminated.wait()
    await server.close(grace_s=STOP_GRACE_S)
    looking.cancel()
    watchdog.close()
    crew.shutdown(wait=False, cancel_futures=True)
    loaders.shutdown(wait=False, cancel_futures=True)


def _models(kind: FrameworkModels, loaders: ThreadPoolExecutor, limits: Limits) -> Models:
    shelf: Shelf[Loaded] = Shelf(bytes_max=limits.bytes_max, count_max=limits.count_max, pinned=limits.pinned)
    statistics = Statistics()
    loader = Loader(shelf, kind, threads=loaders, limits=limits, statistics=statistics)
    return Models(shelf, loader, limits=limits, statistics=statistics)


async def _look_for_changes(models: Models) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        models.want_changes()
