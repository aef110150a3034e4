"""A gateway on a real port, in front of instances and a control on Unix sockets; botocore is the client."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import botocore.config
import botocore.session
import pytest
from botocore.exceptions import ClientError

from moorage.core.model import InstanceId, VariantKey
from moorage.core.routes import (
    UNRESTRICTED,
    AccessKey,
    BearerKey,
    EndpointRoute,
    InstanceRoute,
    RouteTable,
    VariantRoute,
)
from moorage.gateway.access_log import AccessLog
from moorage.gateway.gateway import Gateway
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile
from moorage.gateway.tracing import Tracer
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import WakeMode
from moorage.system.clock import Clock, SystemClock
from moorage.system.snapshot import SnapshotWriter
from moorage.telemetry.line_file import LineFile
from moorage.wire.client import Client
from moorage.wire.limits import Limits
from moorage.wire.messages import Handler, Request, Response
from moorage.wire.server import Server, serve

KEY: Final = b"k" * 32
ACCOUNT: Final = "123456789012"
ROOT: Final = f"arn:aws:iam::{ACCOUNT}:root"
LIMIT: Final = 6_291_456
CONTROL_PATIENCE_S: Final = 0.5
LIMITS: Final = Limits(linger_s=60.0)
"""Whoever is refused while it sends millions of bytes gets to see why, however slow the machine is."""


class PatientClock(SystemClock):
    """By this one, no request ever waits too long, and no instance is silent."""

    def monotonic(self) -> float:
        return super().monotonic() / 1000


class NotedBell:
    """Notes which variants are to be woken, in the order of asking."""

    def __init__(self) -> None:
        self.rung: list[VariantKey] = []

    def ring(self, key: VariantKey) -> bool:
        self.rung.append(key)
        return True


@dataclass
class GatewayWorld:
    """A gateway and what is around it."""

    folder: Path
    gateway: Gateway
    bell: NotedBell
    port: int = 0
    version: int = 0
    servers: list[Server] = field(default_factory=list)
    admin: Client = field(default_factory=Client)
    keys: dict[str, AccessKey] = field(default_factory=lambda: {"AKIA": AccessKey("secret", ROOT, ACCOUNT)})
    bearer_keys: dict[str, BearerKey] = field(default_factory=dict)

    async def instance(self, name: str, handler: Handler) -> Server:
        """What listens at the instance of that name."""
        server = await serve(handler, path=self.folder / f"{name}.sock")
        self.servers.append(server)
        return server

    @contextlib.asynccontextmanager
    async def instance_of_bytes(
        self, name: str, speak: Callable[[asyncio.StreamWriter], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """What listens at the instance of that name, and after the body `1,2` sends whatever `speak` writes."""

        writers: list[asyncio.StreamWriter] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n1,2")
                await speak(writer)

        server = await asyncio.start_unix_server(answer, self._path(name))
        try:
            yield
        finally:
            server.close()
            for writer in writers:  # a ping that waits: the gateway seemed to have no answer for a moment
                writer.close()
            with contextlib.suppress(FileNotFoundError):  # from Python 3.13 on, closing has done it
                os.unlink(self._path(name))

    async def publish(self, *variants: tuple[str, float, Sequence[str]], **options: Any) -> None:
        """Endpoint `iris` with these variants: name, weight, instances. `options` are those of a `VariantRoute`."""
        self.version += 1
        routes = tuple(
            VariantRoute(
                name,
                weight,
                tuple(InstanceRoute(InstanceId(each), self._path(each)) for each in instances),
                **options,
            )
            for name, weight, instances in variants
        )
        table = RouteTable(
            self.version,
            ACCOUNT,
            keys=self.keys,
            permissions={ROOT: UNRESTRICTED},
            bearer_keys=self.bearer_keys,
            endpoints={"eu-west-1": {"iris": EndpointRoute("arn", "config", routes)}},
        )
        SnapshotWriter(self.folder / "routes.json", key=KEY).write(table)
        assert {"version": self.version} == await self.ask_admin(b"/reload", {})

    async def ask_admin(self, path: bytes, question: dict[str, Any]) -> dict[str, Any]:
        """Ask as control does."""
        body = json.dumps(question).encode()
        answer = await self.admin.request(str(self.folder / "admin.sock"), b"POST", path, body=body)
        found: dict[str, Any] = json.loads(await answer.read(10_000))
        return found

    def client(self, *, secret: str = "secret", region: str = "eu-west-1", key: str = "AKIA") -> Any:
        return _session().create_client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, max_pool_connections=50),
        )

    async def invoke(self, body: bytes = b"1,2", **arguments: Any) -> dict[str, Any]:
        """InvokeEndpoint; the answer has its body read."""
        return await asyncio.to_thread(invoke, self.client(), body, **arguments)

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the access log; all are there once the gateway is closed."""
        return [json.loads(line) for line in (self.folder / "access.log").read_bytes().splitlines()]

    def sockets(self) -> list[Path]:
        """Every socket in the folder."""
        return list(self.folder.glob("*.sock"))

    def _path(self, name: str) -> str:
        return str(self.folder / f"{name}.sock")


@functools.cache
def _session() -> botocore.session.Session:
    """One for all, because it keeps the service model: to read it takes ten times as long as an invocation."""
    return botocore.session.get_session()


def invoke(client: Any, body: bytes, **arguments: Any) -> dict[str, Any]:
    """InvokeEndpoint with a client that is then closed; the answer has its body read."""
    with contextlib.closing(client):
        answer = client.invoke_endpoint(**{"EndpointName": "iris", "ContentType": "text/csv"} | arguments, Body=body)
        return {**answer, "Body": answer["Body"].read()}


async def refused(call: Any) -> dict[str, Any]:
    """The error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        await call
    response: dict[str, Any] = caught.value.response
    return response


@contextlib.asynccontextmanager
async def running_gateway(
    folder: Path,
    *,
    limits: Limits = LIMITS,
    clock: Clock | None = None,
    wake_mode: WakeMode = WakeMode.HOLD,
    tracer: Tracer | None = None,
    control_patience_s: float = CONTROL_PATIENCE_S,
) -> AsyncIterator[GatewayWorld]:
    """A gateway with everything of it in `folder`; at the end, no socket may be left there."""
    clock, bell, turnstile = clock or SystemClock(), NotedBell(), Turnstile(folder / "turnstile")
    gateway = Gateway(
        snapshot_path=folder / "routes.json",
        snapshot_key=KEY,
        control_socket=folder / "control.sock",
        bell=bell,
        turnstile=turnstile,
        clock=clock,
        ledger=Ledger(LedgerFile(folder, "ledger")),
        access_log=AccessLog(
            LineFile(folder / "access.log", bytes_max=1_000_000).append,
            clock=clock,
            successes_per_s=10,
            failures_per_s=100,
        ),
        control_patience_s=control_patience_s,
        wake_mode=wake_mode,
        tracer=tracer,
        limits=limits,
    )
    world = GatewayWorld(folder, gateway, bell)
    sock = socket.create_server(("127.0.0.1", 0))
    world.port = sock.getsockname()[1]
    await gateway.serve(sock, folder / "admin.sock")
    try:
        yield world
    finally:
        world.admin.close()
        await gateway.close(grace_s=1)
        turnstile.close()
        for server in world.servers:
            await server.close(grace_s=1)
    assert [] == world.sockets()


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    """An instance that says this, or what it is told."""

    async def handle(request: Request) -> Response:
        sent = await request.read(LIMIT)
        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return Response(status, fields, body or sent)

    return handle
