"""The life of the annex: forked before the instance has a thread or a loop, it ends with the instance."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import uvloop

from moorage.runtime.multi_model.annex.rooms import Rooms
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.lane import Crew
from moorage.runtime.output import finish_output
from moorage.runtime.randomness import reseed
from moorage.runtime.server import limits
from moorage.runtime.settings import Settings
from moorage.runtime.termination import hear_termination
from moorage.runtime.watchdog import Watchdog
from moorage.runtime.worker import DealtServer, die_with

LOADERS: Final = 8
"""Threads that load and close models. They wait for each other, but for what takes very long."""
SWITCH_S: Final = 0.0001
"""How long Python lets a thread that loads a model go on while the event loop has something to do."""
_NICENESS: Final = 15
"""Where processors are short, those who ask for what is rarely asked for wait, as they do for it to be loaded."""
_EXIT_BROKEN: Final = 70

MakeKind = Callable[[Crew, ThreadPoolExecutor], FrameworkModels]


@dataclass(frozen=True, slots=True)
class AnnexProcess:
    """The annex as the instance knows it."""

    pid: int
    channel: socket.socket
    """Connections are dealt to it here; at its end, it is at its end."""


def fork_annex(make_kind: MakeKind, *, threads: int, settings: Settings) -> AnnexProcess:
    """Fork the annex. It serves what is dealt to it until this process ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    finish_output()  # what is half written would be written twice
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _live(serve_annex(theirs, make_kind, threads=threads, settings=settings), parent)
    theirs.close()
    return AnnexProcess(pid, ours)


async def serve_annex(channel: socket.socket, make_kind: MakeKind, *, threads: int, settings: Settings) -> None:
    """Serve the connections that come down `channel` for as long as the instance is there."""
    hear_termination()  # and go on: the instance has requests here that are to be finished, and ends us with itself
    sys.setswitchinterval(SWITCH_S)
    crew, loaders = Crew(threads), ThreadPoolExecutor(LOADERS, thread_name_prefix="loader")
    bounds = limits(settings.body_bytes_max)
    server = DealtServer(Rooms(make_kind(crew, loaders), loaders), bounds, channel)
    watchdog = Watchdog(crew, settings.timeout_s)
    loop = asyncio.get_running_loop()
    loop.add_reader(channel, server.take_what_came)
    try:
        await loop.create_future()
    finally:
        loop.remove_reader(channel)
        watchdog.close()
        await server.close(grace_s=0.0)
        channel.close()
        crew.shutdown(wait=False, cancel_futures=True)
        loaders.shutdown(wait=False, cancel_futures=True)


def _live(serving: Coroutine[Any, Any, None], parent: int) -> NoReturn:
    try:
        die_with(parent)
        with contextlib.suppress(OSError):
            os.nice(_NICENESS)
        reseed()
        uvloop.run(serving)
    except BaseException:
        traceback.print_exc()
    finally:
        finish_output()
        os._exit(_EXIT_BROKEN)
