"""`moorage status`."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from moorage.app import lifecycle
from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.target import not_running, on_moorage
from moorage.core.capacity import Resources
from moorage.core.words import counted

CONNECT_TIMEOUT_S = 1.0
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class Line(NamedTuple):
    """What is said of one process."""

    name: str
    pid: int | None
    remark: str = ""


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
    for name, pid, remark in _parts(settings, found.gateway_workers):
        click.echo(f"  {name:<15} " + ("does not answer" if pid is None else f"pid {pid}{remark}"))
    for line in _capacity(settings):
        click.echo(f"  {line}")


def _parts(settings: Settings, gateway_workers: int) -> Iterator[Line]:
    yield Line("control", _listening_pid(settings.control_socket))
    for worker in range(gateway_workers):
        yield from _gateway(settings.run_dir, worker)
    yield Line("agent", _listening_pid(settings.agent_socket))


def _capacity(settings: Settings) -> Iterator[str]:
    """What instances may reserve, and have; nothing while control does not answer."""
    try:
        with connected(settings) as moorage:
            found = moorage.client("moorage").describe_capacity()
    except click.ClickException:
        return
    yield f"{'offered':<15} {_resources(found['Offered'])}"
    yield f"{'reserved':<15} {_resources(found['Reserved'])}, by {counted(found['Instances'], 'instance')}"


def _resources(described: Mapping[str, Any]) -> Resources:
    return Resources(described["VCpus"], described["MemoryBytes"], described["Gpus"])


def _gateway(folder: Path, worker: int) -> Iterator[Line]:
    """The worker that came last, and those before it that still finish requests."""
    sockets = sorted(folder.glob(f"gateway-{worker}-*.sock"), key=_born)
    *ending, latest = [_listening_pid(path) for path in sockets] or [None]
    yield Line(f"gateway-{worker}", latest)
    for pid in ending:
        if pid is not None:
            yield Line(f"gateway-{worker}", pid, " (finishing its last requests)")


def _born(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has just ended
        return 0.0


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
