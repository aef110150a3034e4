"""S3 alone on a loopback port: for clients that need a socket, and for a second S3 to be external to the first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from moorage.api.s3.service import S3
from moorage.api.server import Api
from moorage.objects.store import open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import root_key_ring

OnRequest = Callable[[str, str], None]
"""Told method and path of every request before it is answered, in the server's thread: it may hold one up."""


async def serve_s3(
    folder: Path, *, started: threading.Event, servers: list[uvicorn.Server], on_request: OnRequest
) -> None:
    """Serve S3 from `folder` on a free port until the server, put into `servers`, is told to exit."""
    clock = SystemClock()
    store = await open_object_store(folder / "objects", key_path=folder / "key", clock=clock)
    try:
        api = Api([S3(store, token_key=b"k" * 32)], root_key_ring, clock=clock)

        async def told(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.to_thread(on_request, scope["method"], scope["path"])
            await api(scope, receive, send)

        server = _Announcing(uvicorn.Config(told, port=0, log_level="error", lifespan="off"), started)
        servers.append(server)
        await server.serve()
    finally:
        await store.close()


def port_of(server: uvicorn.Server) -> int:
    """The port of a started server."""
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@contextmanager
def running_s3(folder: Path, on_request: OnRequest = lambda method, path: None) -> Iterator[str]:
    """S3 in a thread; the context's value is its endpoint URL."""
    folder.mkdir(parents=True, exist_ok=True)
    started, servers = threading.Event(), list[uvicorn.Server]()
    work = serve_s3(folder, started=started, servers=servers, on_request=on_request)
    thread = threading.Thread(target=_run, args=[work], name="s3-server")
    thread.start()
    try:
        assert started.wait(60), "the S3 server did not start"
        yield f"http://127.0.0.1:{port_of(servers[0])}"
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


class _Announcing(uvicorn.Server):
    """Says when it listens, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self._started.set()


def _run(work: object) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(work)  # type: ignore[arg-type]
