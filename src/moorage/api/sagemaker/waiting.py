"""Holding a look at an endpoint for a moment while a change that has just begun comes to its end.

Clients poll every thirty seconds, so what they see first is what they wait for. A fast launch takes less than a second:
an answer held for that long spares them the thirty.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from moorage.core.model import Endpoint, EndpointKey, EndpointStatus
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.system.signals import KeyedSignal

_HOLD_MAX_S: Final = 5.0
_FRESH: Final = timedelta(seconds=10)
_UNDER_WAY: Final = frozenset(
    {EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK, EndpointStatus.DELETING}
)


async def settled(
    key: EndpointKey, *, store: Store, changed: KeyedSignal[EndpointKey], clock: Clock
) -> Endpoint | None:
    """The endpoint once no fresh change of it is under way, or after five seconds as it then is. None if it is gone."""
    endpoint = await store.run(lambda tx: tx.endpoints.get(key))
    if endpoint is None or not _is_fresh(endpoint, clock):
        return endpoint
    deadline = clock.monotonic() + _HOLD_MAX_S
    with changed.subscribe(endpoint.key) as change:
        while True:
            endpoint = await store.run(lambda tx: tx.endpoints.get(key))
            left_s = deadline - clock.monotonic()
            if endpoint is None or left_s <= 0 or not _is_fresh(endpoint, clock):
                return endpoint
            await change.wait(left_s)


def _is_fresh(endpoint: Endpoint, clock: Clock) -> bool:
    return endpoint.status in _UNDER_WAY and clock.now() - endpoint.modified_at < _FRESH
