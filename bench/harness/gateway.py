"""Moorage's own gateway workers, as its supervisor starts them, on routes made for the purpose. No control runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

from harness.invocations import Caller
from harness.machine import pinned
from harness.processes import Served, wait_for
from moorage.app import credentials
from moorage.app.ports import open_listeners
from moorage.app.settings import Settings, dump, load_settings
from moorage.core.model import InstanceId, instance_id
from moorage.core.routes import UNRESTRICTED, AccessKey, EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.system.snapshot import SnapshotWriter

ENDPOINT: Final = "forest"
CONCURRENCY_MAX: Final = 1024
"""As Envoy has it by default. Few models work on so many requests at a time, so Moorage's own default is less."""


@dataclass(frozen=True, slots=True)
class GatewayFolder:
    """The data directory of a Moorage of which only gateways run."""

    settings: Settings
    caller: Caller
    table: RouteTable


def gateway_folder(folder: Path, *instances: Path) -> GatewayFolder:
    """A data directory with keys and a snapshot: one endpoint, one variant, and these sockets as its instances."""
    return routes_folder(folder, {ENDPOINT: instances})


def routes_folder(folder: Path, endpoints: Mapping[str, Sequence[Path]]) -> GatewayFolder:
    """The same with several endpoints, each with the sockets of its instances."""
    settings = load_settings(folder)
    settings.data_dir.mkdir(exist_ok=True)
    settings.run_dir.mkdir(exist_ok=True)
    key = credentials.ensure(settings)
    principal = f"arn:aws:iam::{key.account_id}:root"
    table = RouteTable(
        version=1,
        account_id=key.account_id,
        keys={key.access_key_id: AccessKey(key.secret_access_key, principal, key.account_id)},
        permissions={principal: UNRESTRICTED},
        endpoints={settings.region: {name: make_route(settings, name, paths) for name, paths in endpoints.items()}},
    )
    snapshot_writer(settings).write(table)
    return GatewayFolder(settings, Caller(key.access_key_id, key.secret_access_key, settings.region, ENDPOINT), table)


def snapshot_writer(settings: Settings) -> SnapshotWriter:
    """What publishes the routes in a data directory."""
    return SnapshotWriter(settings.snapshot_path, key=credentials.ensure_secrets(settings).snapshot_key)


def make_route(settings: Settings, name: str, sockets: Sequence[Path]) -> EndpointRoute:
    """The route of an endpoint with one variant that has these instances."""
    instances = tuple(InstanceRoute(_instance_id(name, path), str(path)) for path in sockets)
    return EndpointRoute(
        arn=f"arn:aws:sagemaker:{settings.region}:{settings.account_id}:endpoint/{name}",
        config_name=name,
        variants=(VariantRoute("AllTraffic", 1.0, instances, concurrency_max=CONCURRENCY_MAX),),
    )


def _instance_id(name: str, path: Path) -> InstanceId:
    return instance_id(name, 1, "AllTraffic", crc32(bytes(path)))


@contextlib.contextmanager
def gateway(made: GatewayFolder, core: int) -> Iterator[Served]:
    """One worker, on `core`."""
    with gateway_workers(made, [core]) as workers:
        yield workers[0]


@contextlib.contextmanager
def gateway_workers(made: GatewayFolder, cores: Sequence[int]) -> Iterator[list[Served]]:
    """A worker on each of `cores`, all on one port."""
    listeners = open_listeners("127.0.0.1", 0, count=len(cores), patience_s=0.0)
    netloc = f"127.0.0.1:{listeners[0].getsockname()[1]}"
    output = made.settings.data_dir / "output"
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, made.settings.ledger_dir)  # outside the data directory: control takes it away
        processes = [
            stack.enter_context(_worker(made, output, number, listener, core))
            for number, (listener, core) in enumerate(zip(listeners, cores, strict=True))
        ]
        for process in processes:
            wait_for(netloc, process, output)
        yield [Served(process.pid, netloc) for process in processes]


@contextlib.contextmanager
def _worker(
    made: GatewayFolder, output: Path, number: int, listener: socket.socket, core: int
) -> Iterator[subprocess.Popen[bytes]]:
    descriptor = listener.fileno()
    command = [sys.executable, "-m", "moorage.app", "gateway", str(os.getpid()), str(number), str(descriptor)]
    with (
        output.open("ab") as log,
        subprocess.Popen(
            pinned(command, core), stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[descriptor]
        ) as process,
    ):
        listener.close()
        assert process.stdin is not None
        process.stdin.write(dump(made.settings))
        process.stdin.close()
        try:
            yield process
        finally:
            process.terminate()
