"""The front's HTTP: that of an instance, `GET /ping` and `POST /invocations` on a Unix socket."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final

from moorage.runtime.front.containers import BODY_BYTES_MAX, Containers, Pinger
from moorage.runtime.front.course import Course
from moorage.runtime.front.parts import CONTAINER, FAILURE, TARGET, ContainerFailed, FrontContainer, FrontPlan
from moorage.wire.limits import Limits
from moorage.wire.messages import Refused, Request, Response
from moorage.wire.server import serve

STOP_GRACE_S: Final = 29.0
"""A little less than the agent waits between SIGTERM and SIGKILL."""

_LIMITS: Final = Limits(
    body_bytes=BODY_BYTES_MAX,
    idle_s=24 * 3600.0,  # the gateway's pool decides when a connection is too old, so that it never meets a closed one
    body_s=3600.0,  # and it knows for how long a caller may hold up an answer
)
_METHODS: Final = {b"/ping": b"GET", b"/invocations": b"POST"}


async def serve_front(plan: FrontPlan, listener: socket.socket, on_listening: Callable[[], None]) -> None:
    """Serve on a bound socket until SIGTERM, then finish what is in flight and return."""
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    containers = Containers()
    server = await serve(Front(plan, containers), sock=listener, limits=_LIMITS)
    on_listening()
    await terminated.wait()
    await server.close(grace_s=STOP_GRACE_S)
    containers.close()


class Front:
    """Takes a request for the instance to the containers that it is for."""

    def __init__(self, plan: FrontPlan, containers: Containers) -> None:
        self._plan = plan
        self._containers = containers
        self._by_name = {container.name.encode(): (container,) for container in plan.containers}
        self._ping = Pinger(containers, plan.containers)

    async def __call__(self, request: Request) -> Response:
        method = _METHODS.get(request.path)
        if method is None:
            raise Refused(404, "an instance answers GET /ping and POST /invocations only")
        if request.method != method:
            return Response(405, [(b"allow", method)])
        if method == b"GET":
            return Response(200 if await self._ping() else 503)
        course = self._course_of(request)
        try:
            return await Course(request, course, self._containers).run(await request.read(BODY_BYTES_MAX))
        except ContainerFailed as failure:
            return _failure(failure)

    def _course_of(self, request: Request) -> Sequence[FrontContainer]:
        if self._plan.is_serial:
            return self._plan.containers
        course = self._by_name.get(request.fields.get(TARGET, b""))
        if course is None:
            raise Refused(404, "the instance has no such container")
        return course


def _failure(failure: ContainerFailed) -> Response:
    """What the gateway makes a ModelError of, see `gateway/relay.py`."""
    print(f"moorage: no answer from {failure.container}: {failure}", file=sys.stderr, flush=True)
    kind = b"late" if failure.is_late else b"broken"
    fields = [(CONTAINER, failure.container.encode()), (FAILURE, kind)]
    return Response(504 if failure.is_late else 502, fields, str(failure).encode())
