"""A gateway worker: serves the listening socket that it inherited from the supervisor."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
from typing import Final, NamedTuple

import uvloop

from moorage.app import credentials
from moorage.app.child_process import MAKE_WAY
from moorage.app.settings import Settings
from moorage.app.tracing import make_tracer
from moorage.gateway.access_log import AccessLog
from moorage.gateway.admission import Share
from moorage.gateway.asking import INVOCATION_S
from moorage.gateway.gateway import Gateway
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile
from moorage.gateway.stream import STREAM_S
from moorage.gateway.turnstile import Turnstile
from moorage.system import entropy
from moorage.system.clock import SystemClock
from moorage.system.wake_socket import WakeSender
from moorage.telemetry.line_file import LineFile


class Ending(NamedTuple):
    """How long a worker that ends has for what is in flight on it, and for connections that rest."""

    grace_s: float
    idle_s: float


END: Final = Ending(grace_s=INVOCATION_S + 5.0, idle_s=0.0)
"""Somebody waits for it: an invocation may end, a stream only if that does not take longer."""
MAKING_WAY: Final = Ending(grace_s=STREAM_S + 5.0, idle_s=5.0)
"""A successor is there: streams may end, and a client in use sends its next request, which tells it."""


def run(settings: Settings, worker: int, descriptor: int) -> None:
    """Serve until SIGTERM or `MAKE_WAY`, then finish what is in flight."""
    faulthandler.enable()  # the supervisor ends a worker that hangs by SIGABRT, and the log then says where it hung
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, worker, socket.socket(fileno=descriptor)))


async def _serve(settings: Settings, worker: int, listener: socket.socket) -> None:
    clock = SystemClock()
    bell, turnstile = WakeSender(settings.wake_socket), Turnstile(settings.turnstile_path)
    gateway = Gateway(
        snapshot_path=settings.snapshot_path,
        snapshot_key=credentials.ensure_secrets(settings).snapshot_key,
        control_socket=settings.control_socket,
        bell=bell,
        turnstile=turnstile,
        clock=clock,
        ledger=Ledger(LedgerFile(settings.ledger_dir, entropy.new_uid())),
        access_log=AccessLog(
            LineFile(settings.access_log_path, bytes_max=settings.access_log_bytes_max).append,
            clock=clock,
            successes_per_s=settings.access_log_successes_per_s,
            failures_per_s=settings.access_log_failures_per_s,
        ),
        tracer=make_tracer(settings, worker, clock=clock),
        share=Share(settings.instance_concurrency, workers=settings.gateway_workers),
        wake_mode=settings.wake_mode,
    )
    told_to_end = _when_told_to_end()
    await gateway.serve(listener, settings.gateway_socket(worker, os.getpid()))
    ending = await told_to_end
    await gateway.close(grace_s=ending.grace_s, idle_s=ending.idle_s)
    bell.close()
    turnstile.close()


def _when_told_to_end() -> asyncio.Future[Ending]:
    """Done when this worker has to end."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Ending] = loop.create_future()

    def tell(ending: Ending) -> None:
        if not told.done():
            told.set_result(ending)

    loop.add_signal_handler(signal.SIGTERM, tell, END)
    loop.add_signal_handler(MAKE_WAY, tell, MAKING_WAY)
    return told
