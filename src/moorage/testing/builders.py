"""Values for tests, with everything that the test is not about filled in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from moorage.core import endpoint as change
from moorage.core.model import (
    Container,
    Endpoint,
    EndpointKey,
    Fleet,
    InstanceId,
    InstanceSpec,
    InstanceState,
    ModelData,
    Observation,
    Variant,
    instances_of,
)

T0 = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
KEY = EndpointKey("us-east-1", "iris")


def make_variant(name: str = "AllTraffic", *, count: int = 1, weight: float = 1.0, model: str = "iris") -> Variant:
    """A variant with model data."""
    return Variant(
        name=name,
        model_name=model,
        containers=(Container(image="sklearn", model_data=ModelData(f"s3://models/{model}.tar.gz")),),
        instance_type="ml.m5.large",
        desired_count=count,
        desired_weight=weight,
    )


def make_endpoint(*variants: Variant, key: EndpointKey = KEY, uid: str = "u1", now: datetime = T0) -> Endpoint:
    """An endpoint that has just been created."""
    return change.create(
        key,
        uid,
        arn=f"arn:aws:sagemaker:{key.region}:123456789012:endpoint/{key.name.lower()}",
        config_name="config-1",
        variants=variants or (make_variant(),),
        now=now,
    )


def specs_of(endpoint: Endpoint, fleet: Fleet | None) -> tuple[InstanceSpec, ...]:
    """The instances of a fleet that must be there."""
    assert fleet is not None
    return instances_of(endpoint, fleet)


def observe(
    spec: InstanceSpec, state: InstanceState, *, since: datetime = T0, reason: str | None = None
) -> Observation:
    """What a runner would say of an instance."""
    return Observation(
        id=spec.id,
        uid=spec.uid,
        endpoint=spec.endpoint,
        state=state,
        address=f"/run/i/{spec.id}.sock" if state is InstanceState.READY else None,
        reason=reason,
        since=since,
    )


def by_id(observations: Iterable[Observation]) -> dict[InstanceId, Observation]:
    """As an `EndpointView` has them."""
    return {observation.id: observation for observation in observations}
