"""Takes every second what the gateway workers have counted, exactly once, and saves it by second and by minute.

What is new and how far each ledger has been taken go into one transaction, so that nothing is lost or counted twice
whoever is killed when; `settlement` says why. Only after it does a worker hear that it was read, and only after it is
a dead worker's ledger deleted. A second in which nothing happened is not written.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from moorage.control.ledgers import Ledgers
from moorage.control.minutes import Minutes
from moorage.control.settlement import Account, add_up
from moorage.control.taking import Taken, take
from moorage.core.traffic import Tallies
from moorage.store.base import StaleVersion, Store, StoreUnavailable, TrafficProgress, Transaction
from moorage.system.clock import Clock
from moorage.telemetry.ledger_images import decode_image

_AFTER_THE_SECOND_S: Final = 0.05
_RETRY_S: Final = 5.0
"""While nothing can be saved. The workers keep pages meanwhile."""

_log = logging.getLogger(__name__)


Listener = Callable[[int, Mapping[int, Tallies]], None]
"""Called after each taking with a second and what was counted, by seconds: those before that one are complete."""


class Accounts:
    """The taker of this Moorage's ledgers. There may be two for a moment: only one of them gets to save."""

    def __init__(self, store: Store, ledgers: Ledgers, *, clock: Clock) -> None:
        self._store = store
        self._ledgers = ledgers
        self._clock = clock
        self._taken = Taken(TrafficProgress(), {}, Minutes())
        self._task: asyncio.Task[None] | None = None
        self._round: asyncio.Task[bool] | None = None
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Have `listener` called from now on, on the event loop, also when nothing was counted."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Take up where the last control ended, and go on every second. Raises StoreUnavailable."""
        self._taken = await self._store.run(_load)
        self._task = asyncio.create_task(self._run(), name="accounts")

    async def close(self) -> None:
        """Take once more what is there: after an end in order, all that the gateways counted up to theirs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._round is not None:
            await asyncio.gather(self._round, return_exceptions=True)
        await self._take_or_say_why()
        self._ledgers.close()

    async def take(self) -> None:
        """Take what is new. Raises StoreUnavailable, or StaleVersion if somebody else has: then nothing was taken."""
        taken_ns, at_s = int(self._clock.monotonic() * 1e9), self._clock.now().timestamp()
        look = await asyncio.to_thread(self._ledgers.look, self._taken.accounts)
        taking = await asyncio.to_thread(take, self._taken, look, at_s=at_s)
        after = taking.after
        if not taking.is_empty:
            after = replace(after, progress=await self._store.run(taking.save))
        self._taken = after
        await asyncio.to_thread(self._ledgers.acknowledge, look.readings, taken_ns)
        for listener in self._listeners:
            listener(int(at_s), taking.seconds)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(1.0 + _AFTER_THE_SECOND_S - self._clock.now().microsecond / 1e6)
            self._round = asyncio.create_task(self._take_or_say_why(), name="accounts round")
            if not await asyncio.shield(self._round):  # an end waits for the round that is under way
                await self._clock.sleep(_RETRY_S)

    async def _take_or_say_why(self) -> bool:
        try:
            await self._take_once_more_if_overtaken()
        except StoreUnavailable as error:
            _log.warning("traffic cannot be saved: %s", error)
        except Exception:
            _log.exception("traffic was not taken")
        else:
            return True
        return False

    async def _take_once_more_if_overtaken(self) -> None:
        try:
            await self.take()
        except StaleVersion:
            self._taken = await self._store.run(_load)
            await self.take()


def _load(tx: Transaction) -> Taken:
    progress = tx.traffic.progress()
    accounts = {
        ledger: Account({number: decode_image(image) for number, image in images.items()})
        for ledger, images in tx.traffic.images().items()
    }
    return Taken(progress, accounts, Minutes().with_seconds(_unwritten(tx, progress)))


def _unwritten(tx: Transaction, progress: TrafficProgress) -> dict[int, Tallies]:
    """The seconds that are in no minute yet."""
    seconds: dict[int, Tallies] = {}
    for at_s, key, tally in tx.traffic.seconds(progress.minutes_until_s, sys.maxsize):
        seconds[at_s] = add_up([seconds.get(at_s, {}), {key: tally}])
    return seconds
