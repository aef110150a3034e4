"""How long instances were there, and what that would have cost on SageMaker. Pure.

An instance is counted from its launch to its end, both fleets of an update included, as SageMaker bills it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from moorage.core.model import EndpointKey, InstanceSpec, Variant

SERVERLESS: Final = "serverless"
"""In the place of an instance type: what has none is billed otherwise."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The life of one instance, or a part of it."""

    region: str
    endpoint: str
    variant: str
    instance_type: str
    instance: str
    began_at: datetime
    until: datetime
    """Its end, or until when it is known to have been there."""
    is_open: bool = True


def begun(spec: InstanceSpec, now: datetime) -> Usage:
    """The life of an instance that is launched now."""
    variant = spec.variant
    return Usage(
        region=spec.endpoint.region,
        endpoint=spec.endpoint.name,
        variant=variant.name,
        instance_type=_type_of(variant),
        instance=spec.id,
        began_at=now,
        until=now,
    )


class UsageKey(NamedTuple):
    """What is summed up."""

    endpoint: str
    variant: str
    instance_type: str


def key_of(endpoint: EndpointKey, variant: Variant) -> UsageKey:
    """Under which the instances of a variant, as it is now, are summed up."""
    return UsageKey(endpoint.name, variant.name, _type_of(variant))


@dataclass(frozen=True, slots=True)
class Cost:
    """What the instances of one variant came to."""

    key: UsageKey
    hours: float
    """Of all instances together."""
    price_per_hour: float | None
    """None for a type whose price is not known."""

    @property
    def amount(self) -> float | None:
        """In the currency of the price."""
        return None if self.price_per_hour is None else self.hours * self.price_per_hour


def sum_up(
    usages: Iterable[Usage],
    prices: Mapping[str, float],
    *,
    since: datetime,
    until: datetime,
    serving: Iterable[UsageKey] = (),
) -> tuple[Cost, ...]:
    """What each variant had between the two times, in order of names; of those that are `serving` also if nothing.

    Two instances for half an hour each are one hour, and what lies outside of the time is left out.
    """
    spent = dict.fromkeys(serving, timedelta())
    for usage in usages:
        key = UsageKey(usage.endpoint, usage.variant, usage.instance_type)
        spent[key] = spent.get(key, timedelta()) + _within(usage, since, until)
    return tuple(
        Cost(key, time / timedelta(hours=1), prices.get(key.instance_type)) for key, time in sorted(spent.items())
    )


def hours_without(usages: Sequence[Usage], *, since: datetime, until: datetime) -> float:
    """For how long of that time there was none of these."""
    free = timedelta()
    reached = since
    for usage in sorted(usages, key=lambda usage: usage.began_at):
        free += max(timedelta(), min(usage.began_at, until) - reached)
        reached = max(reached, usage.until)
    return (free + max(timedelta(), until - reached)) / timedelta(hours=1)


def _type_of(variant: Variant) -> str:
    return SERVERLESS if variant.serverless is not None else variant.instance_type


def _within(usage: Usage, since: datetime, until: datetime) -> timedelta:
    return max(timedelta(), min(usage.until, until) - max(usage.began_at, since))
