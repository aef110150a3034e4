"""`moorage status`."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import click

from moorage.app import lifecycle
from moorage.app.settings import Settings
from moorage.cli.target import not_running, on_moorage

CONNECT_TIMEOUT_S = 1.0
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


@click.command("status")
@on_moorage
def command(settings: Settings) -> None:
    """Say whether Moorage runs, where, and with which processes.

    The exit code is 0 when it runs and 1 when it does not.
    """
    found = lifecycle.status(settings)
    if not found.running:
        raise not_running(settings)
    click.echo(f"Moorage is running at {found.endpoint_url}")
    click.echo(f"  data directory  {settings.data_dir}")
    click.echo(f"  supervisor      pid {found.pid}")
    for name, pid in _parts(settings):
        click.echo(f"  {name:<15} " + ("does not answer" if pid is None else f"pid {pid}"))


def _parts(settings: Settings) -> Iterator[tuple[str, int | None]]:
    yield "control", _listening_pid(settings.control_socket)
    for path in sorted(settings.run_dir.glob("gateway-*.sock")):
        yield path.stem, _listening_pid(path)
    yield "agent", _listening_pid(settings.agent_socket)


def _listening_pid(path: Path) -> int | None:
    """Who listens on a Unix socket, as the kernel knows it; None when nobody answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_TIMEOUT_S)
        try:
            connection.connect(str(path))
        except OSError:
            return None
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(packed)[0]
    return pid
