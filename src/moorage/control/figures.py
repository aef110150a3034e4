"""Gathers what figures are made of: from the store, from the runner, and from control itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from moorage.control import waking
from moorage.control.capacity import Capacity
from moorage.control.publisher import Publisher
from moorage.control.settlement import add_up
from moorage.core.capacity import Resources
from moorage.core.figures import State
from moorage.core.model import Endpoint, Observation
from moorage.core.traffic import Tallies
from moorage.runners.base import Runner, RunnerError
from moorage.store import scaling
from moorage.store.base import Store, Transaction
from moorage.system.clock import Clock
from moorage.system.lag import LoopLag

_NOW_S: Final = 3
"""What was in flight this long ago is still so, if nothing newer is known: a second is saved just after its end."""


class Gathering:
    """Looks whenever it is asked to."""

    def __init__(
        self, *, store: Store, runner: Runner, publisher: Publisher, capacity: Capacity, lag: LoopLag, clock: Clock
    ) -> None:
        self._store = store
        self._runner = runner
        self._publisher = publisher
        self._capacity = capacity
        self._lag = lag
        self._clock = clock

    async def state(self) -> State:
        """Everything as of now; without instances while the runner is away. Raises StoreUnavailable."""
        now_s = int(self._clock.now().timestamp())
        stored = await self._store.read(lambda tx: _read(tx, now_s=now_s))
        offer = self._capacity.offer
        return State(
            totals=stored.totals,
            in_flight=stored.in_flight,
            scalings=stored.scalings,
            sleeps=stored.sleeps,
            endpoints=stored.endpoints,
            instances=await self._observe(),
            offered=offer.total if offer is not None else Resources(),
            reserved=self._capacity.reserved,
            route_table_version=self._publisher.version,
            lag_s=self._lag.worst_s,
        )

    async def _observe(self) -> Sequence[Observation]:
        try:
            return await self._runner.observe()
        except RunnerError:
            return ()


class _Stored(NamedTuple):
    totals: Tallies
    in_flight: Tallies
    scalings: Mapping[tuple[str, str], int]
    sleeps: Mapping[tuple[str, str], int]
    endpoints: Sequence[Endpoint]


def _read(tx: Transaction, *, now_s: int) -> _Stored:
    traffic = tx.traffic
    unwritten = traffic.seconds(traffic.progress().minutes_until_s, sys.maxsize)
    totals = add_up([traffic.totals(), *({each.key: each.tally} for each in unwritten)])
    recent = traffic.seconds(now_s - _NOW_S, sys.maxsize)
    latest_s = max((each.at_s for each in recent), default=0)
    in_flight = {each.key: each.tally for each in recent if each.at_s == latest_s}
    endpoints = [endpoint for endpoint in map(tx.endpoints.get, tx.endpoints.keys()) if endpoint is not None]
    scalings, sleeps = tx.journal.counts(scaling.JOURNAL_KIND), tx.journal.counts(waking.JOURNAL_KIND)
    return _Stored(totals, in_flight, scalings, sleeps, endpoints)
