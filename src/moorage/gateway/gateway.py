"""The gateway: one port for everything, invocations answered here, all else by control.

It starts from the signed snapshot alone and goes on serving while control and the store are away.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from moorage.gateway import errors
from moorage.gateway.access_log import AccessLog
from moorage.gateway.admin import Admin
from moorage.gateway.admission import WHOLE_SHARE, Share
from moorage.gateway.forward import Forwarder
from moorage.gateway.invoke import Invoker
from moorage.gateway.ledger import Ledger, keep_ledger
from moorage.gateway.probing import Pinger, Prober
from moorage.gateway.recorder import Recorder
from moorage.gateway.tables import Tables
from moorage.gateway.target import address_of
from moorage.gateway.tracing import Tracer
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import Bell, WakeMode, Waker
from moorage.gateway.watch import Watch
from moorage.system import entropy
from moorage.system.clock import Clock
from moorage.system.snapshot import SnapshotInvalid, SnapshotReader
from moorage.system.tasks import BackgroundTasks
from moorage.wire.client import Client
from moorage.wire.limits import Limits
from moorage.wire.messages import Cancellable, Refused, Reply, Request, Response
from moorage.wire.server import Server, Tasks, serve, serve_begin

_log = logging.getLogger(__name__)

CONTROL_PATIENCE_S: Final = 5.0
"""Control is back within three seconds of its end, however it ended."""
# Less than uvicorn keeps an idle connection (5 s), so that it is us who close.
_CONTROL_IDLE_S: Final = 3.0


class Gateway:
    """One gateway worker. `serve` starts it, `close` ends it without losing a request."""

    def __init__(
        self,
        *,
        snapshot_path: Path,
        snapshot_key: bytes,
        control_socket: Path,
        bell: Bell,
        turnstile: Turnstile,
        clock: Clock,
        ledger: Ledger,
        access_log: AccessLog,
        tracer: Tracer | None = None,
        share: Share = WHOLE_SHARE,
        wake_mode: WakeMode = WakeMode.HOLD,
        limits: Limits | None = None,
        control_patience_s: float = CONTROL_PATIENCE_S,
    ) -> None:
        self._snapshot = SnapshotReader(snapshot_path, key=snapshot_key)
        self._clock = clock
        self._limits = limits or Limits()
        self._ledger = ledger
        self._access_log = access_log
        self._tables = Tables(entropy.unit, ledger, monotonic=clock.monotonic, share=share)
        self._pinger = Pinger()
        self._watch = Watch(Prober(self._pinger, clock=clock), clock=clock)
        self._waker = Waker(bell, self._tables.live.occupied, clock=clock, mode=wake_mode)
        self._tracer = tracer
        recorder = Recorder(access_log, clock.monotonic, tracer)
        self._invoker = Invoker(
            self._tables, self._watch, self._waker, turnstile, recorder, clock=clock, draw=entropy.unit
        )
        self._control = Client(idle_s=_CONTROL_IDLE_S)
        self._forwarder = Forwarder(self._control, str(control_socket), clock=clock, patience_s=control_patience_s)
        self._others = Tasks(self._answer, _render)
        self._admin = Admin(self._tables, self._reload)
        self._tasks = BackgroundTasks()
        self._servers: list[Server] = []

    async def serve(self, sock: socket.socket, admin_path: Path) -> None:
        """Answer on `sock` (bound) and on the admin socket; returns once both listen. Raises OSError.

        The admin socket is bound first and the snapshot read then, so a change between the two is not missed.
        """
        self._watch.start()
        self._waker.start()
        self._tasks.keep(partial(keep_ledger, self._ledger, self._clock), name="ledger", clock=self._clock)
        self._tasks.keep(self._access_log.keep, name="access log", clock=self._clock)
        if self._tracer is not None:
            self._tasks.keep(self._tracer.keep, name="traces", clock=self._clock)
        self._servers.append(await serve(self._admin.handle, path=admin_path))
        try:
            await self._reload()
        except SnapshotInvalid as error:
            _log.warning("no routes yet: %s", error)
        self._servers.append(await serve_begin(self._begin, sock=sock, limits=self._limits, render=_render))

    async def close(self, *, grace_s: float, idle_s: float = 0.0) -> None:
        """Stop accepting, finish what is in flight within the grace, and only then fall silent towards control.

        Callers whose connections rest have `idle_s`: their next request is answered, and the connection closed then.
        """
        while self._servers:
            await self._servers.pop().close(grace_s=grace_s, idle_s=idle_s)
            idle_s = 0.0  # nobody but control and the supervisor is left
        await self._watch.close()
        await self._waker.close()
        await self._tasks.close()
        self._ledger.close()
        self._pinger.close()
        self._tables.live.close()
        self._control.close()

    async def _reload(self) -> None:
        self._tables.install(await asyncio.to_thread(self._snapshot.read))
        self._tasks.start(self._renew(), name="renewing routes")

    async def _renew(self) -> None:
        for _ in self._tables.renew():
            await self._clock.sleep(0)

    def _begin(self, request: Request, reply: Reply) -> Cancellable | None:
        address = address_of(request.path)
        if address is None:
            return self._others(request, reply)
        return self._invoker.begin(request, reply, address)

    async def _answer(self, request: Request) -> Response:
        if request.path == b"/health" and request.method in (b"GET", b"HEAD"):
            return self._health()
        return await self._forwarder.forward(request, entropy.new_request_id())

    def _health(self) -> Response:
        routes = self._tables.routes
        content = {"status": "ok" if routes is not None else "starting", "version": routes.version if routes else 0}
        return Response(200, [(b"Content-Type", b"application/json")], msgspec.json.encode(content))


def _render(refused: Refused) -> Response:
    return errors.refusal(refused, entropy.new_request_id())
