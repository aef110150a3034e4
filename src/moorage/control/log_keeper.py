"""Keeps the logs within the room they may take, and for as long as their groups say.

What has to go is decided in `core.log_room`; in the place of what instances printed stands a line that says so. What
goes wrong, as on a full disk, is logged and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from moorage.core.log_room import make_room
from moorage.store.base import Document, Store, StoreUnavailable, Transaction
from moorage.store.log_groups import all_groups
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks
from moorage.telemetry import log_trim
from moorage.telemetry.log_places import LogPlaces

INTERVAL_S: Final = 2.0
_PAUSE_RATIO: Final = 200
"""How much longer the pause is than the look before it, at least: many files are looked at less often."""
EXPIRY_INTERVAL_S: Final = 600.0

_log = logging.getLogger(__name__)


class LogKeeper:
    """The loop. `bytes_max` is of all logs together, `stream_bytes_max` of each."""

    def __init__(self, places: LogPlaces, store: Store, clock: Clock, *, bytes_max: int, stream_bytes_max: int) -> None:
        self._places = places
        self._store = store
        self._clock = clock
        self._bytes_max = bytes_max
        self._stream_bytes_max = stream_bytes_max
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        """Begin."""
        self._tasks.start(self._keep_room(), name="keeping the logs' room")
        self._tasks.keep(self._keep_time, name="expiring logs", clock=self._clock, pause_s=EXPIRY_INTERVAL_S)

    async def close(self) -> None:
        """End."""
        await self._tasks.close()

    async def make_room(self) -> None:
        """Take back what the logs have too much, once. Raises OSError."""
        await asyncio.to_thread(self._make_room)

    async def expire(self) -> None:
        """Remove what is older than its group keeps it, once. Raises OSError, StoreUnavailable."""
        for group in await self._store.run(_groups_that_expire):
            await asyncio.to_thread(self._expire, group)

    async def _keep_room(self) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                await self.make_room()
            except OSError as error:
                _log.warning("room for logs cannot be made now: %s", error)
            except Exception:  # not `keep`'s: how long the next look has to wait follows from this one
                _log.exception("room for logs was not made")
            took = self._clock.monotonic() - began
            await self._clock.sleep(max(INTERVAL_S, _PAUSE_RATIO * took))

    async def _keep_time(self) -> None:
        while True:
            try:
                await self.expire()
            except (OSError, StoreUnavailable) as error:
                _log.warning("old logs cannot be removed now: %s", error)
            await self._clock.sleep(EXPIRY_INTERVAL_S)

    def _make_room(self) -> None:
        taken = log_trim.measure(self._places, bytes_max=self._bytes_max, now_s=self._clock.now().timestamp())
        for cut in make_room(taken, bytes_max=self._bytes_max, stream_bytes_max=self._stream_bytes_max):
            gone = log_trim.carry_out(cut, self._places)
            level = logging.INFO if cut.is_removal else logging.DEBUG  # a flood is cut every few seconds
            _log.log(level, "%s: removed the oldest %d bytes: %s", cut.stream, gone, cut.why)

    def _expire(self, group: Document) -> None:
        now = self._clock.now()
        oldest = now - timedelta(days=group.body["retentionInDays"])
        for stream in self._places.streams(group.region, group.name).values():
            log_trim.expire(
                stream, before_ms=int(oldest.timestamp() * 1000), places=self._places, now_s=now.timestamp()
            )


def _groups_that_expire(tx: Transaction) -> list[Document]:
    return [group for group in all_groups(tx) if "retentionInDays" in group.body]
