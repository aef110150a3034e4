"""ListCosts: how long instances were there, what that would have cost on SageMaker, and what sleeping has saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple

from moorage.api.costs.prices import Prices
from moorage.api.service import Caller, Service, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import CostSummary, ListCostsInput, ListCostsOutput
from moorage.core.iam.principal import Requirement
from moorage.core.model import Endpoint, EndpointKey
from moorage.core.names import sagemaker_arn
from moorage.core.usage import Cost, Usage, UsageKey, hours_without, key_of, sum_up
from moorage.store.base import Store, Transaction
from moorage.system.clock import Clock

_DEFAULT_PERIOD: Final = timedelta(days=30)


class _Found(NamedTuple):
    usages: Sequence[Usage]
    serving: Mapping[UsageKey, Endpoint]
    """The variants that serve, as they are now, and the endpoints that they are of."""


class Costs(Service):
    """Reckons with what `control.usage` has written down."""

    name: ClassVar[str] = "moorage"

    def __init__(self, store: Store, prices: Prices, *, clock: Clock) -> None:
        self._store = store
        self._prices = prices
        self._clock = clock

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The operation on the endpoint, or on all of them."""
        name = request.get("EndpointName", "*")
        return [Requirement(f"moorage:{operation}", sagemaker_arn(caller.region, caller.account_id, "endpoint", name))]

    @operation("ListCosts")
    async def list_costs(self, caller: Caller, request: ListCostsInput) -> ListCostsOutput:
        """The last 30 days, unless the request says from when or until when."""
        now = self._clock.now()
        until = min(request.get("EndTime", now), now)
        since = request.get("StartTime", until - _DEFAULT_PERIOD)
        if since >= until:
            raise ServiceError("ValidationException", "StartTime must be before EndTime, and not in the future.")
        name = request.get("EndpointName")
        found = await self._store.read(lambda tx: _find(tx, caller.region, name, since=since, until=until, now=now))
        costs = sum_up(found.usages, self._prices.per_hour, since=since, until=until, serving=found.serving)
        return {
            "Currency": self._prices.currency,
            "StartTime": since,
            "EndTime": until,
            "Costs": [_summary(cost, _asleep_hours(cost, found, since, until)) for cost in costs],
            "InstanceHours": sum(cost.hours for cost in costs),
            "Cost": sum(cost.amount or 0.0 for cost in costs),
        }


def _find(tx: Transaction, region: str, name: str | None, *, since: datetime, until: datetime, now: datetime) -> _Found:
    stored = tx.endpoints.get(EndpointKey(region, name)) if name is not None else None
    endpoint = stored.key.name if stored is not None else name
    usages = tx.usages.list(region, since=since, until=until, endpoint=endpoint)
    open_until_now = [replace(usage, until=now) if usage.is_open else usage for usage in usages]
    if name is not None:
        return _Found(open_until_now, _serving([stored], until))
    keys = tx.endpoints.keys()
    return _Found(open_until_now, _serving((tx.endpoints.get(key) for key in keys if key.region == region), until))


def _serving(endpoints: Iterable[Endpoint | None], until: datetime) -> Mapping[UsageKey, Endpoint]:
    """The variants that serve since before `until`."""
    return {
        key_of(endpoint.key, variant): endpoint
        for endpoint in endpoints
        if endpoint is not None and endpoint.serving is not None and endpoint.serving.created_at < until
        for variant in endpoint.serving.variants
    }


def _asleep_hours(cost: Cost, found: _Found, since: datetime, until: datetime) -> float | None:
    """For how long a variant that serves had no instance, of whichever type; None if there is no such variant now."""
    endpoint = found.serving.get(cost.key)
    if endpoint is None or endpoint.serving is None:
        return None
    of_variant = [
        usage for usage in found.usages if (usage.endpoint, usage.variant) == (cost.key.endpoint, cost.key.variant)
    ]
    began = min((usage.began_at for usage in of_variant), default=endpoint.serving.created_at)
    return hours_without(of_variant, since=max(since, endpoint.created_at, began), until=until)


def _summary(cost: Cost, asleep_hours: float | None) -> CostSummary:
    summary: CostSummary = {
        "EndpointName": cost.key.endpoint,
        "VariantName": cost.key.variant,
        "InstanceType": cost.key.instance_type,
        "InstanceHours": cost.hours,
    }
    if cost.amount is not None and cost.price_per_hour is not None:
        summary["PricePerHour"] = cost.price_per_hour
        summary["Cost"] = cost.amount
    if asleep_hours is not None:
        summary["AsleepHours"] = asleep_hours
        if cost.price_per_hour is not None:
            summary["SavedBySleeping"] = asleep_hours * cost.price_per_hour
    return summary
