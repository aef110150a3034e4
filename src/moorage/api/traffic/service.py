"""ListTraffic: what was counted up to the last second, by endpoint, or of one endpoint by variant and instance."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from moorage.api.service import Caller, Service, operation
from moorage.api.traffic.summary import by_endpoint, by_instance, join, summarise
from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import ListTrafficInput, ListTrafficOutput
from moorage.core.iam.principal import Requirement
from moorage.core.model import EndpointKey
from moorage.core.names import sagemaker_arn
from moorage.core.traffic import SeriesKey, Tally
from moorage.store.base import Counted, Store, Transaction
from moorage.system.clock import Clock

_PERIOD_S: Final = 60
_NOW_S: Final = 3
"""What was in flight this long ago is still so, if nothing newer is known: a second is saved just after its end."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store has."""

    recent: Sequence[Counted]
    total: Sequence[tuple[SeriesKey, Tally]]


class Traffic(Service):
    """Reads what `control.accounts` has saved."""

    name: ClassVar[str] = "moorage"

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The operation on the endpoint, or on all of them."""
        name = request.get("EndpointName", "*")
        return [Requirement(f"moorage:{operation}", sagemaker_arn(caller.region, caller.account_id, "endpoint", name))]

    @operation("ListTraffic")
    async def list_traffic(self, caller: Caller, request: ListTrafficInput) -> ListTrafficOutput:
        """The last `PeriodSeconds` (60) and all there ever was."""
        now_s = int(self._clock.now().timestamp())
        since_s = now_s - request.get("PeriodSeconds", _PERIOD_S)
        name = request.get("EndpointName")
        endpoint = None if name is None else EndpointKey(caller.region, name)
        found = await self._store.run(lambda tx: _find(tx, caller.region, endpoint, since_s=since_s))
        group = by_endpoint if endpoint is None else by_instance
        latest_s = max((counted.at_s for counted in found.recent), default=0)
        latest = [each for each in found.recent if each.at_s == latest_s >= now_s - _NOW_S]
        return {
            "Traffic": summarise(
                join(((each.key, each.tally) for each in found.recent), group),
                join(found.total, group),
                join(((each.key, each.tally) for each in latest), group),
            )
        }


def _as_stored(tx: Transaction, endpoint: EndpointKey) -> EndpointKey:
    """The endpoint in its own case, if it is still there."""
    stored = tx.endpoints.get(endpoint)
    if stored is not None:
        return stored.key
    if not tx.traffic.totals(endpoint):
        raise ServiceError("ResourceNotFound", f"There is no endpoint {endpoint.name}, and has been no traffic of one.")
    return endpoint


def _find(tx: Transaction, region: str, endpoint: EndpointKey | None, *, since_s: int) -> _Found:
    """Raises ServiceError if there is no such endpoint and never was traffic of one."""
    if endpoint is not None:
        endpoint = _as_stored(tx, endpoint)
    written = tx.traffic.totals(endpoint)
    unwritten = tx.traffic.seconds(tx.traffic.progress().minutes_until_s, sys.maxsize, endpoint=endpoint)
    recent = tx.traffic.seconds(since_s, sys.maxsize, endpoint=endpoint)
    total = [*written.items(), *((each.key, each.tally) for each in unwritten)]
    return _Found(
        [each for each in recent if each.key.region == region], [each for each in total if each[0].region == region]
    )
