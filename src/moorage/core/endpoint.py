"""What the API may ask of an endpoint: each change sets the wanted fleets and the status in one value.

A waiter that polls right after the call must not see the status from before it, so the two are never saved apart.
What then has to be done about the change is for `reconcile` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from moorage.core.model import Endpoint, EndpointKey, EndpointStatus, Fleet, Serverless, Variant
from moorage.core.status import IllegalTransition, Trigger, follow

__all__ = [
    "IllegalTransition",
    "UnknownVariant",
    "VariantChange",
    "create",
    "delete",
    "set_weights_and_capacities",
    "sleep",
    "update",
    "wake",
]


T = TypeVar("T")

_SERVES: Final = frozenset({EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK})


class UnknownVariant(Exception):
    """A change names variants that the endpoint does not have. `args[0]` is the tuple of their names."""


@dataclass(frozen=True, slots=True)
class VariantChange:
    """New values for one variant; None leaves the value alone."""

    desired_weight: float | None = None
    desired_count: int | None = None
    concurrency_max: int | None = None
    """Of a serverless variant, like the next."""
    provisioned_concurrency: int | None = None


def create(
    key: EndpointKey, uid: str, *, arn: str, config_name: str, variants: Sequence[Variant], now: datetime
) -> Endpoint:
    """A new endpoint, Creating, whose first fleet is to be launched."""
    first = Fleet(generation=1, config_name=config_name, variants=tuple(variants), created_at=now)
    return Endpoint(
        key=key,
        uid=uid,
        arn=arn,
        status=follow(None, Trigger.CREATE),
        created_at=now,
        modified_at=now,
        target=first,
        last_generation=first.generation,
    )


def update(endpoint: Endpoint, *, config_name: str, variants: Sequence[Variant], now: datetime) -> Endpoint:
    """The endpoint Updating towards a fleet of its own generation. Raises IllegalTransition unless InService."""
    status = follow(endpoint.status, Trigger.UPDATE)
    generation = endpoint.last_generation + 1
    fleet = Fleet(generation=generation, config_name=config_name, variants=tuple(variants), created_at=now)
    return replace(
        endpoint,
        status=status,
        modified_at=now,
        target=fleet,
        last_generation=generation,
        failure_reason=None,
    )


def set_weights_and_capacities(endpoint: Endpoint, changes: Mapping[str, VariantChange], *, now: datetime) -> Endpoint:
    """The endpoint Updating towards the serving generation with other weights and counts.

    The target keeps the generation, so the instances the two fleets have in common are the same instances.
    Raises UnknownVariant; IllegalTransition unless InService.
    """
    status = follow(endpoint.status, Trigger.RESIZE)
    serving = endpoint.serving
    assert serving is not None, "an endpoint InService has a serving fleet"
    unknown = changes.keys() - {variant.name for variant in serving.variants}
    if unknown:
        raise UnknownVariant(tuple(sorted(unknown)))
    variants = tuple(_changed(variant, changes.get(variant.name)) for variant in serving.variants)
    return replace(
        endpoint, status=status, modified_at=now, target=replace(serving, variants=variants), failure_reason=None
    )


def wake(endpoint: Endpoint, variant: str, *, count: int = 1) -> Endpoint:
    """The endpoint with `count` instances of a variant that has none; as it is if there is nothing to wake.

    That is no change of its status: a variant can be woken while the endpoint is being updated, and a launch that
    fails is tried again like that of a replacement.
    """
    serving = endpoint.serving
    if serving is None or endpoint.status not in _SERVES:
        return endpoint
    woken = _woken(serving, variant, count)
    target = endpoint.target
    if target is not None and target.generation == serving.generation:
        target = _woken(target, variant, count)
    return replace(endpoint, serving=woken, target=target)


def sleep(endpoint: Endpoint, variant: str) -> Endpoint:
    """The endpoint InService without instances of a serverless variant; in any other status, as it is."""
    serving = endpoint.serving
    if serving is None or endpoint.status is not EndpointStatus.IN_SERVICE:
        return endpoint
    variants = tuple(
        replace(each, desired_count=0) if each.name == variant and each.serverless else each
        for each in serving.variants
    )
    return replace(endpoint, serving=replace(serving, variants=variants))


def delete(endpoint: Endpoint, *, now: datetime) -> Endpoint:
    """The endpoint Deleting. Raises IllegalTransition unless it is InService or Failed."""
    return replace(endpoint, status=follow(endpoint.status, Trigger.DELETE), modified_at=now)


def _woken(fleet: Fleet, variant: str, count: int) -> Fleet:
    variants = tuple(
        replace(each, desired_count=count, was_woken=True) if each.name == variant and not each.desired_count else each
        for each in fleet.variants
    )
    return replace(fleet, variants=variants)


def _changed(variant: Variant, change: VariantChange | None) -> Variant:
    if change is None:
        return variant
    serverless = _changed_serverless(variant.serverless, change)
    stays = serverless is not None and serverless.provisioned_concurrency > 0
    return replace(
        variant,
        desired_weight=_or(change.desired_weight, variant.desired_weight),
        desired_count=max(_or(change.desired_count, variant.desired_count), 1 if stays else 0),
        serverless=serverless,
    )


def _changed_serverless(serverless: Serverless | None, change: VariantChange) -> Serverless | None:
    if serverless is None:
        return None
    return replace(
        serverless,
        concurrency_max=_or(change.concurrency_max, serverless.concurrency_max),
        provisioned_concurrency=_or(change.provisioned_concurrency, serverless.provisioned_concurrency),
    )


def _or(wanted: T | None, present: T) -> T:
    return present if wanted is None else wanted
