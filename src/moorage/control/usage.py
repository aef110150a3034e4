"""Writes down how long instances are there: from the reservation of their place to its end, over any restart.

A reservation is told of at once and written within a second. What runs on while control is away goes on to be counted;
what ended meanwhile ended, for all that is known, when it was last said to be there, which is once a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, InstanceState
from moorage.core.usage import Usage, begun
from moorage.runners.base import Runner, RunnerError
from moorage.store.base import Store, StoreUnavailable, Transaction, Usages
from moorage.system.clock import Clock

_FLUSH_S: Final = 1.0
_TOUCH_EVERY: Final = timedelta(minutes=1)
_KEPT: Final = timedelta(days=455)
"""Fifteen months, as long as CloudWatch keeps its metrics."""
_RUNNING: Final = frozenset({InstanceState.STARTING, InstanceState.READY, InstanceState.UNHEALTHY})

_log = logging.getLogger(__name__)


class UsageKeeper:
    """The listener of reservations that remembers them. `start` before anything is reserved."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._open: dict[EndpointKey, set[InstanceId]] = {}
        """Also what is on its way out since before this control: nobody has reserved for it here."""
        self._pending: list[Callable[[Usages], None]] = []
        self._touched_at = clock.now()

    async def start(self, runner: Runner) -> None:
        """Take up what runs, and end what does not. Raises StoreUnavailable."""
        usages = await self._store.run(lambda tx: tx.usages.open())
        running = await self._running(runner, usages)
        gone = [InstanceId(usage.instance) for usage in usages if usage.instance not in running]
        for usage in usages:
            if usage.instance in running:
                key = EndpointKey(usage.region, usage.endpoint)
                self._open.setdefault(key, set()).add(InstanceId(usage.instance))
        await self._store.run(lambda tx: _end_all(tx.usages, gone))

    def began(self, spec: InstanceSpec) -> None:
        """See `control.capacity.Listener`."""
        open_instances = self._open.setdefault(spec.endpoint, set())
        if spec.id not in open_instances:
            open_instances.add(spec.id)
            usage = begun(spec, self._clock.now())
            self._pending.append(lambda usages: usages.begin([usage]))

    def kept(self, key: EndpointKey, instances: Collection[InstanceId]) -> None:
        """See `control.capacity.Listener`."""
        open_instances = self._open.pop(key, set())
        kept = open_instances.intersection(instances)
        if kept:
            self._open[key] = kept
        gone, now = open_instances - kept, self._clock.now()
        if gone:
            self._pending.append(lambda usages: _end_all(usages, gone, now))

    async def run(self) -> None:
        """Write down every second what is new, until cancelled."""
        while True:
            await self._clock.sleep(_FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write down what is new; what cannot be written now stays for the next time."""
        now = self._clock.now()
        is_due = now - self._touched_at >= _TOUCH_EVERY
        changes, self._pending = self._pending, []

        def write(tx: Transaction) -> None:
            for change in changes:
                change(tx.usages)
            if is_due:
                tx.usages.touch(now)
                tx.usages.expire(now - _KEPT)

        if not (changes or is_due):
            return
        try:
            await self._store.run(write)
        except StoreUnavailable as error:
            _log.warning("usage cannot be written down now: %s", error)
            self._pending = changes + self._pending
        else:
            self._touched_at = now if is_due else self._touched_at

    async def close(self) -> None:
        """Say of everything once more that it is there, and write down the rest."""
        self._touched_at = self._clock.now() - _TOUCH_EVERY
        await self.flush()

    async def _running(self, runner: Runner, usages: Sequence[Usage]) -> set[str]:
        """While the runner is away, what was there two minutes ago is taken to be there still."""
        try:
            return {seen.id for seen in await runner.observe() if seen.state in _RUNNING}
        except RunnerError:
            recently = self._clock.now() - 2 * _TOUCH_EVERY
            return {usage.instance for usage in usages if usage.until >= recently}


def _end_all(usages: Usages, instances: Collection[InstanceId], at: datetime | None = None) -> None:
    """End them, without a time when they were last said to be there."""
    for instance in instances:
        usages.end(instance, at)
