"""The server: listens, admits connections, and closes without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
from pathlib import Path

from moorage.wire.connection import ServerConnection
from moorage.wire.limits import Limits
from moorage.wire.messages import Begin, Disconnected, Handler, Refused, Reply, Request, Response
from moorage.wire.replying import Render, Replying

_log = logging.getLogger(__name__)

_BACKLOG = 4_096


def render_text(refused: Refused) -> Response:
    """A refusal as one line of text."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refused.status == 503:
        headers.append((b"retry-after", b"1"))
    return Response(refused.status, headers, f"{refused.reason}\n".encode())


class Tasks:
    """Begins each request with a task that runs a handler, and answers what the handler raises."""

    def __init__(self, handler: Handler, render: Render = render_text) -> None:
        self._handler = handler
        self._render = render
        self._loop = asyncio.get_running_loop()

    def __call__(self, request: Request, reply: Reply) -> asyncio.Task[None]:
        return self._loop.create_task(self._run(request, reply))

    async def _run(self, request: Request, reply: Reply) -> None:
        try:
            response = await self._handler(request)
        except Refused as refused:
            response = self._render(refused)
        except Disconnected:
            reply.abort()
            return
        except Exception:
            _log.exception("a handler failed")
            response = self._render(Refused(500, "an internal error happened"))
        reply.respond(response)


class Server:
    """A listening server. Made by `serve`."""

    def __init__(self, begin: Begin, *, limits: Limits, render: Render) -> None:
        self.begin = begin
        self.limits = limits
        self.render = render
        self.loop = asyncio.get_running_loop()
        self.is_closing = False
        self.held_bytes = 0
        self.idle_s = limits.idle_s
        self._connections: set[Replying] = set()
        self._all_gone: asyncio.Future[None] | None = None
        self._listener: asyncio.Server | None = None
        self._sock: socket.socket | None = None
        self._path: Path | None = None
        self._inode = 0

    @property
    def in_flight(self) -> int:
        """How many requests are being handled."""
        return sum(connection.is_handling for connection in self._connections)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def listen(self, sock: socket.socket) -> None:
        """Accept connections on a bound socket; it is closed with the server."""
        self._sock = sock
        sock.setblocking(False)
        if sock.family == socket.AF_UNIX:
            self._listener = await self.loop.create_unix_server(self._connect, sock=sock, backlog=_BACKLOG)
        else:
            self._listener = await self.loop.create_server(self._connect, sock=sock, backlog=_BACKLOG)

    async def listen_on_path(self, path: Path) -> None:
        """Accept connections on a Unix socket that only its owner may open. One left by a dead server is replaced."""
        sock = bind(path)
        self._path, self._inode = path, _inode(path)
        try:
            await self.listen(sock)
        except BaseException:
            sock.close()
            raise

    async def take(self, sock: socket.socket) -> None:
        """Serve a connection that was accepted elsewhere."""
        await self.loop.connect_accepted_socket(self._connect, sock)

    async def close(self, *, grace_s: float = 30.0, idle_s: float = 0.0) -> None:
        """Stop accepting, let requests in flight finish within the grace, then cut what is left.

        A connection without a request is closed after `idle_s`, unless it sends one and is told with the answer.
        """
        self.is_closing = True
        self.idle_s = idle_s
        if self._listener is not None:
            self._listener.close()
        if self._sock is not None:
            self._sock.close()
        self._unlink()
        await self._turn()
        for connection in tuple(self._connections):
            connection.retire(idle_s)
        if not self._connections:
            return
        self._all_gone = self.loop.create_future()
        await asyncio.wait({self._all_gone}, timeout=grace_s)
        for connection in tuple(self._connections):
            connection.abort()
        await self._all_gone

    def admit(self, connection: Replying) -> bool:
        """Register a new connection; whether there is room for it."""
        self._connections.add(connection)
        if self.is_closing:
            self.loop.call_soon(connection.retire, self.idle_s)
        return len(self._connections) <= self.limits.connections

    def forget(self, connection: Replying) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if self._all_gone is not None and not self._connections and not self._all_gone.done():
            self._all_gone.set_result(None)

    def _connect(self) -> ServerConnection:
        return ServerConnection(self)

    async def _turn(self) -> None:
        """Let the loop announce the connections that it has accepted already: their clients count on us."""
        turned = self.loop.create_future()
        self.loop.call_soon(turned.set_result, None)
        await turned

    def _unlink(self) -> None:
        """Remove our socket's file, unless a successor has already put its own there."""
        if self._path is None:
            return
        with contextlib.suppress(FileNotFoundError):
            if _inode(self._path) == self._inode:
                self._path.unlink()


async def serve(
    handler: Handler,
    *,
    sock: socket.socket | None = None,
    path: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    render: Render = render_text,
) -> Server:
    """Serve `handler` on a bound socket or on a Unix socket at `path`. Raises OSError."""
    return await serve_begin(Tasks(handler, render), sock=sock, path=path, limits=limits, render=render)


async def serve_begin(
    begin: Begin,
    *,
    sock: socket.socket | None = None,
    path: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    render: Render = render_text,
) -> Server:
    """As `serve`, for what answers by itself whether it needs a task. Raises OSError."""
    server = Server(begin, limits=limits or Limits(), render=render)
    if sock is not None:
        await server.listen(sock)
    elif path is not None:
        await server.listen_on_path(Path(path))
    else:
        raise ValueError("a server needs a socket or a path")
    return server


def bind(path: Path) -> socket.socket:
    """A Unix socket bound to `path`, that only its owner may open. One left by a dead server is replaced."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
    except BaseException:
        sock.close()
        raise
    return sock


def _inode(path: Path) -> int:
    """What tells a socket's file from its successor's."""
    return path.stat().st_ino
