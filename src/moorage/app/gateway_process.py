"""A gateway worker: serves the listening socket that it inherited from the supervisor."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket

import uvloop

from moorage.app import credentials
from moorage.app.settings import Settings
from moorage.gateway.admission import Share
from moorage.gateway.gateway import Gateway
from moorage.system.clock import SystemClock


def run(settings: Settings, worker: int, descriptor: int) -> None:
    """Serve until SIGTERM, then finish what is in flight."""
    faulthandler.enable()  # the supervisor ends a worker that hangs by SIGABRT, and the log then says where it hung
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, worker, socket.socket(fileno=descriptor)))


async def _serve(settings: Settings, worker: int, listener: socket.socket) -> None:
    gateway = Gateway(
        snapshot_path=settings.snapshot_path,
        snapshot_key=credentials.ensure_secrets(settings).snapshot_key,
        control_socket=settings.control_socket,
        clock=SystemClock(),
        share=Share(settings.instance_concurrency, workers=settings.gateway_workers),
    )
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await gateway.serve(listener, settings.gateway_socket(worker, os.getpid()))
    await stopping.wait()
    await gateway.close()
