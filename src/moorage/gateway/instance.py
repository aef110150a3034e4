"""The live state of one instance, which outlasts any one route table: its connections, its requests, its health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from moorage.core.model import InstanceId
from moorage.gateway.admission import Allowance, Queue
from moorage.gateway.health import Health
from moorage.gateway.ledger import Series
from moorage.wire.messages import NoAnswer, WireError
from moorage.wire.pool import Pool

_log = logging.getLogger(__name__)


class Instance:
    """One instance: where it listens, how many requests are on it and may be, and how it has behaved.

    A request that takes a slot counts itself in `in_flight` and gives it back by `leave`.
    """

    __slots__ = (
        "__weakref__",
        "_idle_waiters",
        "_monotonic",
        "allowance",
        "health",
        "id",
        "in_flight",
        "is_watched",
        "pool",
        "queue",
        "series",
        "slots",
    )

    def __init__(
        self, id_: InstanceId, pool: Pool, queue: Queue[Instance], *, slots_max: int, monotonic: Callable[[], float]
    ) -> None:
        self.id = id_
        self.pool = pool
        self.in_flight = 0
        self.slots = slots_max
        self.allowance = Allowance(slots_max)
        self.health = Health()
        self.is_watched = False
        self.queue = queue
        """Where requests wait for a slot on it or its like: its variant's."""
        self.series: Series
        """Where its invocations count; like the queue, given by the route that it is in."""
        self._monotonic = monotonic
        self._idle_waiters: list[asyncio.Future[None]] = []

    @property
    def address(self) -> str:
        """The path of its Unix socket."""
        return self.pool.address

    def record_failure(self, error: WireError) -> None:
        """A request on it failed. One that timed out while the instance was alive was one too many."""
        now = self._monotonic()
        if isinstance(error, NoAnswer) and not self.health.is_suspended:
            self.allowance.record_timeout(now=now)
        seconds = self.health.record_failure(now=now)
        if seconds is not None:
            _log.warning("%s is left alone for %g s: %s", self.id, seconds, error)

    def idle(self) -> asyncio.Future[None]:
        """Done at the next moment without a request."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.in_flight:
            self._idle_waiters.append(waiter)
        else:
            waiter.set_result(None)
        return waiter

    def leave(self) -> None:
        """A request is over: its slot goes to who has waited longest."""
        self.in_flight -= 1
        if self.queue.waiters:
            self.queue.serve(self._monotonic())
        if self._idle_waiters and not self.in_flight:
            self._wake_idle_waiters()

    def _wake_idle_waiters(self) -> None:
        for waiter in self._idle_waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._idle_waiters.clear()
