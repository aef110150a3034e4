"""An instance's HTTP: `GET /ping` and `POST /invocations`, by callbacks, with a task only for what has to wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from moorage.runtime.calls import Call
from moorage.runtime.dispatch import Dispatcher, Ticket
from moorage.runtime.model_thread import ModelThread
from moorage.runtime.replies import failure, render
from moorage.runtime.termination import hear_termination
from moorage.runtime.toolkit import LoadedModel
from moorage.runtime.watchdog import Watchdog
from moorage.wire.limits import Limits
from moorage.wire.messages import Begin, Cancellable, Refused, Reply, Request, Response, WireError
from moorage.wire.server import Server, serve_begin

STOP_GRACE_S: Final = 29.0
"""A little less than the agent waits between SIGTERM and SIGKILL."""


async def serve_model(model: LoadedModel, sock: socket.socket, on_listening: Callable[[], None]) -> None:
    """Serve on a bound socket until SIGTERM, then finish what is in flight and return. Raises OSError."""
    terminated = hear_termination()
    with ModelThread() as thread:
        server = await listen(
            Router(routes_of(Invocations(Dispatcher(model, thread)))), sock, model.settings.body_bytes_max
        )
        watchdog = Watchdog(thread, model.settings.timeout_s)
        on_listening()
        await terminated.wait()
        await server.close(grace_s=STOP_GRACE_S)
        watchdog.close()


async def listen(begin: Begin, sock: socket.socket, body_bytes_max: int) -> Server:
    """Serve on a bound socket. Raises OSError."""
    return await serve_begin(begin, sock=sock, limits=limits(body_bytes_max), render=render)


def limits(body_bytes_max: int) -> Limits:
    """What the gateway may take of an instance."""
    return Limits(
        body_bytes=body_bytes_max,
        idle_s=24 * 3600.0,  # the gateway's pool decides when a connection is too old, so it never meets a closed one
        body_s=3600.0,  # and it knows for how long a caller may hold up an answer
    )


@dataclass(frozen=True, slots=True)
class Route:
    """Who begins to answer the requests of one path."""

    method: bytes
    begin: Begin


class Router:
    """Begins each request by its path. `otherwise` gets what no route names."""

    def __init__(self, routes: Mapping[bytes, Route], otherwise: Begin | None = None) -> None:
        self._routes = dict(routes)
        self._otherwise = otherwise or self._refuse

    def __call__(self, request: Request, reply: Reply) -> Cancellable | None:
        route = self._routes.get(request.path)
        if route is None:
            return self._otherwise(request, reply)
        if request.method != route.method:
            method = route.method
            reply.respond(failure(405, f"{request.path.decode()} takes {method.decode()}", [(b"allow", method)]))
            return None
        return route.begin(request, reply)

    def _refuse(self, _request: Request, reply: Reply) -> None:
        known = " and ".join(f"{route.method.decode()} {path.decode()}" for path, route in self._routes.items())
        reply.respond(failure(404, f"An instance answers {known} only"))


def routes_of(invoke: Begin) -> Mapping[bytes, Route]:
    """The routes of an instance that serves one model."""
    return {b"/ping": Route(b"GET", ping), b"/invocations": Route(b"POST", invoke)}


def ping(_request: Request, reply: Reply) -> None:
    """Answer that the instance is there."""
    reply.respond(Response(200))


class Invocations:
    """Begins the calls of one model."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._body_bytes_max = dispatcher.model.settings.body_bytes_max
        self._loop = asyncio.get_running_loop()

    def __call__(self, request: Request, reply: Reply) -> Cancellable:
        if request.content is not None:
            return self._dispatcher.submit(Call(request.content, request.headers, request.fields), reply)
        arrival = _Arrival()
        arrival.going_on = self._loop.create_task(self._collect(request, reply, arrival))
        return arrival

    async def _collect(self, request: Request, reply: Reply, arrival: _Arrival) -> None:
        """Wait for a large body."""
        try:
            body = await request.read(self._body_bytes_max)
        except Refused as refused:
            reply.respond(render(refused))
        except WireError:
            reply.abort()
        else:
            arrival.going_on = self._dispatcher.submit(Call(body, request.headers, request.fields), reply)


class _Arrival:
    """A call whose body is on its way, and then the call."""

    __slots__ = ("going_on",)

    def __init__(self) -> None:
        self.going_on: asyncio.Task[None] | Ticket | None = None

    def cancel(self) -> None:
        if self.going_on is not None:
            self.going_on.cancel()
