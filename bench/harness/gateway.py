"""Moorage's own gateway worker, as its supervisor starts it, on a route table made for the purpose. No control runs."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.invocations import Caller
from harness.machine import pinned
from harness.processes import Served, wait_for
from moorage.app import credentials
from moorage.app.settings import Settings, dump, load_settings
from moorage.core.model import InstanceId
from moorage.core.routes import EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.system.snapshot import SnapshotWriter

ENDPOINT: Final = "forest"


@dataclass(frozen=True, slots=True)
class GatewayFolder:
    """The data directory of a Moorage of which only gateways run."""

    settings: Settings
    caller: Caller


def gateway_folder(folder: Path, *instances: Path) -> GatewayFolder:
    """A data directory with keys and a snapshot: one endpoint, one variant, and these sockets as its instances."""
    settings = load_settings(folder)
    key = credentials.ensure(settings)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    routes = tuple(InstanceRoute(InstanceId(f"i-{n:017x}"), str(path)) for n, path in enumerate(instances))
    endpoint = EndpointRoute(
        arn=f"arn:aws:sagemaker:{settings.region}:{settings.account_id}:endpoint/{ENDPOINT}",
        config_name=ENDPOINT,
        variants=(VariantRoute("AllTraffic", 1.0, routes),),
    )
    table = RouteTable(
        version=1,
        account_id=settings.account_id,
        keys=credentials.access_keys(key),
        endpoints={settings.region: {ENDPOINT: endpoint}},
    )
    SnapshotWriter(settings.snapshot_path, key=credentials.ensure_secrets(settings).snapshot_key).write(table)
    return GatewayFolder(settings, Caller(key.access_key_id, key.secret_access_key, settings.region, ENDPOINT))


@contextlib.contextmanager
def gateway(made: GatewayFolder, core: int) -> Iterator[Served]:
    """A worker of it on `core`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    netloc = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [sys.executable, "-m", "moorage.app", "gateway", str(os.getpid()), str(listener.fileno())]
    with (
        (made.settings.data_dir / "output").open("wb") as output,
        subprocess.Popen(
            pinned(core, command),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(listener.fileno(),),
        ) as process,
    ):
        listener.close()
        assert process.stdin is not None
        process.stdin.write(dump(made.settings))
        process.stdin.close()
        try:
            wait_for(netloc, process, output)
            yield Served(process.pid, netloc)
        finally:
            process.terminate()
