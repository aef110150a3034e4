"""What the API may ask of an endpoint: each change sets the wanted fleets and the status in one value.

A waiter that polls right after the call must not see the status from before it, so the two are never saved apart.
What then has to be done about the change is for `reconcile` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from moorage.core.model import Endpoint, EndpointKey, Fleet, Variant
from moorage.core.status import IllegalTransition, Trigger, follow

__all__ = [
    "IllegalTransition",
    "UnknownVariant",
    "VariantChange",
    "create",
    "delete",
    "set_weights_and_capacities",
    "update",
]


class UnknownVariant(Exception):
    """A change names variants that the endpoint does not have. `args[0]` is the tuple of their names."""


@dataclass(frozen=True, slots=True)
class VariantChange:
    """New values for one variant; None leaves the value alone."""

    desired_weight: float | None = None
    desired_count: int | None = None


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


def delete(endpoint: Endpoint, *, now: datetime) -> Endpoint:
    """The endpoint Deleting. Raises IllegalTransition unless it is InService or Failed."""
    return replace(endpoint, status=follow(endpoint.status, Trigger.DELETE), modified_at=now)


def _changed(variant: Variant, change: VariantChange | None) -> Variant:
    if change is None:
        return variant
    return replace(
        variant,
        desired_weight=variant.desired_weight if change.desired_weight is None else change.desired_weight,
        desired_count=variant.desired_count if change.desired_count is None else change.desired_count,
    )
