"""A gateway process: serves the socket that the supervisor bound."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvloop

from moorage.app import credentials
from moorage.app.children import gateway_admin_socket
from moorage.app.settings import Settings
from moorage.gateway.gateway import Gateway
from moorage.system.clock import SystemClock


def run(settings: Settings, descriptor: int) -> None:
    """Serve until SIGTERM, then finish what is in flight."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, socket.socket(fileno=descriptor)))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    gateway = Gateway(
        snapshot_path=settings.snapshot_path,
        snapshot_key=credentials.ensure_secrets(settings).snapshot_key,
        control_socket=settings.control_socket,
        clock=SystemClock(),
    )
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await gateway.serve(listener, gateway_admin_socket(settings, 0))
    await stopping.wait()
    await gateway.close()
