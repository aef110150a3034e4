"""Questions about an endpoint's fleets that several decisions ask: who is wanted, who is new, who may be routed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from moorage.core.concurrency import concurrency_max
from moorage.core.model import (
    Endpoint,
    EndpointStatus,
    ExecutionMode,
    Fleet,
    InstanceId,
    InstanceSpec,
    InstanceState,
    Observation,
    Variant,
    instances_of,
)
from moorage.core.routes import EndpointRoute, InstanceRoute, VariantRoute

_WANTS_NOTHING = frozenset({EndpointStatus.FAILED, EndpointStatus.DELETING})


def wants_nothing(endpoint: Endpoint) -> bool:
    """Whether the endpoint is to have no instances and no routes, whatever fleets it is described by."""
    return endpoint.status in _WANTS_NOTHING


def wanted_instances(endpoint: Endpoint) -> dict[InstanceId, InstanceSpec]:
    """Every instance the endpoint ought to have now, in a stable order."""
    if wants_nothing(endpoint):
        return {}
    fleets = [fleet for fleet in (endpoint.serving, endpoint.target) if fleet is not None]
    return {spec.id: spec for fleet in fleets for spec in instances_of(endpoint, fleet)}


def serving_instances(endpoint: Endpoint) -> tuple[InstanceSpec, ...]:
    """The instances of the fleet that takes the traffic."""
    if endpoint.serving is None or wants_nothing(endpoint):
        return ()
    return instances_of(endpoint, endpoint.serving)


def added_instances(endpoint: Endpoint) -> tuple[InstanceSpec, ...]:
    """The instances that the target has and the serving fleet has not: on them depends whether a change succeeds."""
    if endpoint.target is None:
        return ()
    present = {spec.id for spec in instances_of(endpoint, endpoint.serving)} if endpoint.serving else set()
    return tuple(spec for spec in instances_of(endpoint, endpoint.target) if spec.id not in present)


def first_instances_asleep(endpoint: Endpoint) -> tuple[InstanceSpec, ...]:
    """Of each variant of the serving fleet that is to have no instance, the one that would be launched first."""
    if endpoint.serving is None or wants_nothing(endpoint):
        return ()
    asleep = (replace(variant, desired_count=1) for variant in endpoint.serving.variants if not variant.desired_count)
    return instances_of(endpoint, replace(endpoint.serving, variants=tuple(asleep)))


def is_usable(endpoint: Endpoint, observation: Observation | None) -> bool:
    """Whether requests may be sent to the instance."""
    return (
        observation is not None
        and observation.state is InstanceState.READY
        and observation.address is not None
        and observation.id not in endpoint.draining
    )


def has_complete_target(endpoint: Endpoint, instances: Mapping[InstanceId, Observation]) -> bool:
    """Whether there is a target and all that it adds is ready: then it takes the traffic."""
    return endpoint.target is not None and all(
        is_usable(endpoint, instances.get(spec.id)) for spec in added_instances(endpoint)
    )


def make_route(
    endpoint: Endpoint,
    fleet: Fleet,
    instances: Mapping[InstanceId, Observation],
    *,
    faults: Mapping[str, str] = MappingProxyType({}),
) -> EndpointRoute:
    """All of `fleet` that is usable now, in a stable order.

    A variant without any is listed, too: its share waits for one, unless `faults` says, by the names of variants, why
    none comes up; then it gets a 503.
    """
    usable: dict[str, list[InstanceRoute]] = {variant.name: [] for variant in fleet.variants}
    for spec in instances_of(endpoint, fleet):
        observation = instances.get(spec.id)
        if observation is not None and observation.address is not None and is_usable(endpoint, observation):
            usable[spec.variant.name].append(InstanceRoute(id=spec.id, address=observation.address))
    return EndpointRoute(
        arn=endpoint.arn,
        config_name=fleet.config_name,
        variants=tuple(
            VariantRoute(
                name=variant.name,
                weight=variant.desired_weight,
                instances=tuple(usable[variant.name]),
                routing_strategy=variant.routing_strategy,
                concurrency_max=_concurrency_max(variant),
                containers=_container_names(variant),
                is_direct=bool(_container_names(variant)) and variant.execution_mode is ExecutionMode.DIRECT,
                is_multi_model=any(container.is_multi_model for container in variant.containers),
                wakes=variant.wakes,
                fault="" if usable[variant.name] else faults.get(variant.name, ""),
                requests_max=variant.serverless.concurrency_max if variant.serverless else None,
            )
            for variant in fleet.variants
        ),
    )


def _concurrency_max(variant: Variant) -> int | None:
    """The least that any container says: a request may be for each of them."""
    said = [concurrency_max(container.environment) for container in variant.containers]
    said.append(variant.serverless.concurrency_max if variant.serverless else None)
    return min((number for number in said if number is not None), default=None)


def _container_names(variant: Variant) -> tuple[str, ...]:
    """None of a lone container: there is nothing to choose."""
    return tuple(container.name for container in variant.containers) if len(variant.containers) > 1 else ()


def routed_instances(route: EndpointRoute | None) -> frozenset[InstanceId]:
    """The instances that `route` sends requests to."""
    if route is None:
        return frozenset()
    return frozenset(instance.id for variant in route.variants for instance in variant.instances)
