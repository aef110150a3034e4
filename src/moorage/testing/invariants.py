"""What must never be seen in the simulated world, whatever was decided and whatever went wrong.

Each rule looks at the world after something happened, not at plans: a plan can be right and its effect wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from moorage.core.fleets import routed_instances, wanted_instances, wants_nothing
from moorage.core.model import Endpoint, EndpointStatus, Fleet, InstanceState
from moorage.core.routes import EndpointRoute
from moorage.core.status import TRANSITIONS
from moorage.testing.world import World
from moorage.testing.world_parts import Violation

_STEPS = {(before, after) for (before, _), after in TRANSITIONS.items()} | {
    (status, status) for status in EndpointStatus
}


def check(world: World) -> None:
    """Hold the world against every rule. Raises Violation."""
    for rule in _RULES:
        rule(world)


def check_save(world: World, before: Endpoint | None, after: Endpoint | None) -> None:
    """Hold a change of the record against the table of statuses, and a removal against what is left."""
    if after is None:
        _nothing_is_left(world, before)
        return
    if (before.status if before else None, after.status) not in _STEPS:
        raise Violation(f"the status went from {before.status if before else None} to {after.status}")
    if before is not None and before.status is not after.status is EndpointStatus.IN_SERVICE:
        _only_wanted_instances_are_left(world, after)


def check_quiet(world: World) -> None:
    """Hold a world in which nothing has gone wrong for long enough against what was wanted of it."""
    record = world.record
    wanted = wanted_instances(record) if record else {}
    if record is not None and record.status not in (EndpointStatus.IN_SERVICE, EndpointStatus.FAILED):
        raise Violation(f"the endpoint is still {record.status}")
    if record is not None and record.status is EndpointStatus.FAILED and not record.failure_reason:
        raise Violation("the endpoint failed without a reason")
    if world.instances.keys() != wanted.keys():
        raise Violation(f"instances are {sorted(world.instances)}, wanted are {sorted(wanted)}")
    if world.held:
        raise Violation(f"{len(world.held)} requests are still held")
    idle = [i for i in world.instances.values() if i.state is not InstanceState.READY]
    if idle:
        raise Violation(f"{idle[0].spec.id} is still {idle[0].state}")
    for gateway in world.gateways:
        if routed_instances(gateway.table) != wanted.keys():
            raise Violation(f"a gateway routes to {sorted(routed_instances(gateway.table))}, not to {sorted(wanted)}")
        if wanted and gateway.table is None:
            raise Violation("a gateway does not know the endpoint")


def _routes_lead_to_instances_that_were_ready(world: World) -> None:
    for gateway in world.gateways:
        if not gateway.alive:
            continue
        for instance in routed_instances(gateway.table):
            if instance not in world.instances:
                raise Violation(f"a gateway routes to {instance}, which does not exist")
            if not world.instances[instance].was_ready:
                raise Violation(f"a gateway routes to {instance}, which was never ready")


def _in_service_means_only_the_serving_fleet(world: World) -> None:
    record = world.record
    if record is None or record.status is not EndpointStatus.IN_SERVICE:
        return
    fleet = record.serving
    if fleet is None:
        raise Violation("the endpoint is InService without a fleet")
    for gateway in world.gateways:
        if gateway.alive:
            _table_is_of(fleet, world, gateway.table)
    for request in world.requests:
        if (request.uid, request.generation) != (record.uid, fleet.generation):
            raise Violation(f"a request is in flight on {request.instance} of generation {request.generation}")


def _table_is_of(fleet: Fleet, world: World, table: EndpointRoute | None) -> None:
    if table is None:
        raise Violation("a gateway does not know an endpoint InService")
    if table.config_name != fleet.config_name:
        raise Violation(f"a gateway uses {table.config_name} for an endpoint InService with {fleet.config_name}")
    weights = {variant.name: variant.weight for variant in table.variants}
    if weights != {variant.name: variant.desired_weight for variant in fleet.variants}:
        raise Violation(f"a gateway uses weights {weights}")
    for instance in routed_instances(table):
        if world.instances[instance].spec.generation != fleet.generation:
            raise Violation(f"a gateway routes to {instance} of an older fleet")


def _creating_is_not_routed_before_it_is_complete(world: World) -> None:
    record = world.record
    if record is None or record.status is not EndpointStatus.CREATING or record.target is None:
        return
    wanted = sum(variant.desired_count for variant in record.target.variants)
    for gateway in world.gateways:
        if gateway.alive and gateway.table is not None and len(routed_instances(gateway.table)) != wanted:
            raise Violation("a gateway routes to an endpoint that is half created")


def _calm_fleets_are_whole(world: World) -> None:
    record = world.record
    if world.was_stormy or record is None or record.serving is None or wants_nothing(record):
        return
    for gateway in world.gateways:
        for variant in gateway.table.variants if gateway.table else ():
            if variant.wakes:
                continue
            desired = {v.name: v.desired_count for f in (record.serving, record.target) if f for v in f.variants}
            if desired.get(variant.name, 0) > 0 and record.target is None and not variant.instances:
                raise Violation(f"variant {variant.name} has no instance though nothing was wrong")


def _only_wanted_identities_are_launched(world: World) -> None:
    record = world.record
    if record is None:
        return
    generations = range(1, record.last_generation + 1)
    for instance in world.instances.values():
        spec = instance.spec
        if spec.uid == record.uid and (spec.generation not in generations or spec.ordinal > 10):
            raise Violation(f"{spec.id} was never wanted")


def _only_wanted_instances_are_left(world: World, endpoint: Endpoint) -> None:
    wanted = wanted_instances(endpoint)
    for instance in world.instances.values():
        if instance.spec.uid == endpoint.uid and instance.spec.id not in wanted and not instance.is_late:
            raise Violation(f"the endpoint is InService again while {instance.spec.id} is left")


def _nothing_is_held_against_the_faultless(world: World) -> None:
    for instance, failures in (world.record.failures if world.record else {}).items():
        if failures.count > world.faults[instance]:
            raise Violation(f"{instance} is said to have failed {failures.count} times, not {world.faults[instance]}")


def _nothing_is_left(world: World, before: Endpoint | None) -> None:
    if before is None:
        return
    if any(instance.spec.uid == before.uid and not instance.is_late for instance in world.instances.values()):
        raise Violation("the endpoint was forgotten while an instance of it is left")
    if any(gateway.alive and gateway.table is not None for gateway in world.gateways):
        raise Violation("the endpoint was forgotten while a gateway routes to it")


_RULES: tuple[Callable[[World], None], ...] = (
    _routes_lead_to_instances_that_were_ready,
    _in_service_means_only_the_serving_fleet,
    _creating_is_not_routed_before_it_is_complete,
    _calm_fleets_are_whole,
    _only_wanted_identities_are_launched,
    _nothing_is_held_against_the_faultless,
)
