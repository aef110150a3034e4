"""What to do about one endpoint now: a pure function from what is wanted and what is, to a plan.

Read `reconcile` first; the parts below it each look after one thing and know nothing of the others. They hold to this:

* Nothing is taken for published before every gateway has said so, and nothing is stopped that a gateway may route to.
* An instance that may have requests in flight is drained between leaving the routes and being stopped.
* An instance is launched only when there is none of its identity: a relaunch is a stop, then a launch.
* A decision that must survive a crash is in the endpoint, and saved before the first action.

The loop calls again whenever it saved or did something, so a part may leave what depends on its actions to later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from moorage.core.fleets import (
    added_instances,
    has_complete_target,
    is_usable,
    make_route,
    wanted_instances,
    wants_nothing,
)
from moorage.core.model import Endpoint, EndpointStatus, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.core.plan import Action, Drain, EndpointView, Forget, Launch, Plan, Publish, Stop
from moorage.core.routes import EndpointRoute
from moorage.core.setbacks import (
    forgiven_at,
    hopeless_variants,
    is_down,
    launch_fault,
    launch_not_before,
    remember,
)
from moorage.core.status import Trigger, follow

DRAIN_LIMIT: Final = timedelta(minutes=8, seconds=15)
"""No request is waited for longer than this: 8 min is what a streamed answer may take, plus its way in and out. Most
drains end with the last request, long before."""
DRAIN_LIMIT_DOWN: Final = timedelta(seconds=75)
"""Nor longer than this on an instance that is down, for its successor waits for its place: 60 s is what an answer that
is not streamed may take."""

_DEAD = frozenset({InstanceState.EXITED, InstanceState.FAILED, InstanceState.LOST})
_UNSETTLED = frozenset({EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK})


@dataclass(frozen=True, slots=True)
class _Part:
    """One part's share of a plan."""

    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    why: str = ""


def reconcile(view: EndpointView, *, now: datetime) -> Plan:
    """The endpoint to save, the actions to take in order, and when to look again if nothing happens."""
    endpoint = replace(view.endpoint, failures=remember(view.endpoint, view.instances, now=now))
    endpoint = take_back(endpoint, view)
    endpoint, turn = advance(endpoint, view, now=now)
    wanted = wanted_instances(endpoint)
    route = wanted_route(endpoint, view.instances)
    leaving = leaving_instances(endpoint, view.instances, wanted)
    endpoint = replace(
        endpoint,
        draining=draining_instances(endpoint, leaving, may_start=is_published(view, route), now=now),
        failures={instance: past for instance, past in endpoint.failures.items() if instance in wanted},
    )
    parts = (
        _Part(why=turn),
        launch_missing(endpoint, view.instances, wanted, now=now),
        publish_route(endpoint, view, route),
        drain_leaving(endpoint, view, leaving, now=now),
        stop_leaving(endpoint, view, leaving, now=now),
        forgive_ready(endpoint, view.instances),
        forget_deleted(endpoint, view, route),
    )
    return Plan(
        endpoint=endpoint,
        actions=tuple(action for part in parts for action in part.actions),
        wake_at=min((part.wake_at for part in parts if part.wake_at is not None), default=None),
        why="; ".join(part.why for part in parts if part.why) or _waiting_for(endpoint, view),
    )


def take_back(endpoint: Endpoint, view: EndpointView) -> Endpoint:
    """The endpoint with instances that were leaving and are wanted again, as when it is woken while it falls asleep.

    Not those that have failed, nor those whose stop has begun: they are relaunched.
    """
    again = {
        instance
        for instance in endpoint.draining.keys() & wanted_instances(endpoint).keys() & view.instances.keys()
        if view.instances[instance].state is InstanceState.READY
        and instance not in endpoint.failures
        and instance not in view.stopping
    }
    draining = {instance: until for instance, until in endpoint.draining.items() if instance not in again}
    return replace(endpoint, draining=draining) if again else endpoint


def advance(endpoint: Endpoint, view: EndpointView, *, now: datetime) -> tuple[Endpoint, str]:
    """The endpoint one step further in its life, if the world allows it, and the reason."""
    if endpoint.status not in _UNSETTLED:
        return endpoint, ""
    fault = launch_fault(endpoint, view.instances)
    if fault is not None:
        return give_up_target(endpoint, fault, now=now), fault
    endpoint = promote_target(endpoint, view)
    if not is_settled(endpoint, view):
        return endpoint, ""
    status = follow(endpoint.status, Trigger.SETTLED)
    return replace(endpoint, status=status, modified_at=now), f"{endpoint.status} → {status}: {Trigger.SETTLED}"


def give_up_target(endpoint: Endpoint, fault: str, *, now: datetime) -> Endpoint:
    """The endpoint as it was before the change, with the reason why it did not succeed."""
    failed = replace(endpoint, failure_reason=fault, modified_at=now)
    if endpoint.serving is None:
        return replace(failed, status=follow(endpoint.status, Trigger.LAUNCH_FAILED))
    is_resize = endpoint.target is not None and endpoint.target.generation == endpoint.serving.generation
    trigger = Trigger.RESIZE_FAILED if is_resize else Trigger.UPDATE_FAILED
    return replace(failed, status=follow(endpoint.status, trigger), target=None)


def promote_target(endpoint: Endpoint, view: EndpointView) -> Endpoint:
    """Let the target be the serving fleet once every gateway routes to it and to nothing else."""
    if not has_complete_target(endpoint, view.instances):
        return endpoint
    if not is_published(view, wanted_route(endpoint, view.instances)):
        return endpoint
    return replace(endpoint, serving=endpoint.target, target=None)


def is_settled(endpoint: Endpoint, view: EndpointView) -> bool:
    """Whether the serving fleet takes the traffic and no other instance is left, so that the last change is over."""
    return (
        endpoint.serving is not None
        and endpoint.target is None
        and is_published(view, wanted_route(endpoint, view.instances))
        and view.instances.keys() <= wanted_instances(endpoint).keys()
    )


def wanted_route(endpoint: Endpoint, instances: Mapping[InstanceId, Observation]) -> EndpointRoute | None:
    """The route every gateway ought to use: all traffic goes to one fleet, the target as soon as it is complete."""
    if wants_nothing(endpoint):
        return None
    fleet = endpoint.target if has_complete_target(endpoint, instances) else endpoint.serving
    return None if fleet is None else make_route(endpoint, fleet, instances, faults=hopeless_variants(endpoint, fleet))


def is_published(view: EndpointView, route: EndpointRoute | None) -> bool:
    """Whether every gateway uses `route`, beyond doubt."""
    return view.settled and view.published == route


def leaving_instances(
    endpoint: Endpoint, instances: Mapping[InstanceId, Observation], wanted: Mapping[InstanceId, InstanceSpec]
) -> dict[InstanceId, Observation]:
    """What has to be stopped: instances nobody wants, instances that are down, and those already on their way out."""
    return {
        instance: observation
        for instance, observation in instances.items()
        if instance not in wanted or instance in endpoint.draining or is_down(observation)
    }


def draining_instances(
    endpoint: Endpoint, leaving: Mapping[InstanceId, Observation], *, may_start: bool, now: datetime
) -> dict[InstanceId, datetime]:
    """Until when the instances on their way out may finish requests. Counted from when no gateway routes to them, or
    from when the instance is seen to be down.
    """
    return {
        instance: min(endpoint.draining.get(instance, now + DRAIN_LIMIT), now + _drain_limit(observation))
        for instance, observation in leaving.items()
        if observation.state not in _DEAD and (may_start or instance in endpoint.draining)
    }


def _drain_limit(observation: Observation) -> timedelta:
    return DRAIN_LIMIT_DOWN if is_down(observation) else DRAIN_LIMIT


def launch_missing(
    endpoint: Endpoint,
    instances: Mapping[InstanceId, Observation],
    wanted: Mapping[InstanceId, InstanceSpec],
    *,
    now: datetime,
) -> _Part:
    """Launch every wanted instance there is nothing of, those that failed before after a pause."""
    missing = [spec for instance, spec in wanted.items() if instance not in instances]
    due = {spec.id: launch_not_before(endpoint.failures.get(spec.id), now=now) for spec in missing}
    ready = tuple(Launch(spec) for spec in missing if due[spec.id] <= now)
    later = [at for at in due.values() if at > now]
    why = [f"{len(ready)} missing"] if ready else []
    why += [f"{len(later)} to be launched again from {min(later):%H:%M:%S}"] if later else []
    return _Part(actions=ready, wake_at=min(later, default=None), why=", ".join(why))


def publish_route(endpoint: Endpoint, view: EndpointView, route: EndpointRoute | None) -> _Part:
    """Make the gateways use the wanted route if one of them may be using another."""
    if is_published(view, route):
        return _Part()
    count = sum(len(variant.instances) for variant in route.variants) if route else 0
    why = f"route changes to {count} instances of {route.config_name}" if route else "route ends"
    return _Part(actions=(Publish(endpoint.key, route),), why=why)


def drain_leaving(
    endpoint: Endpoint, view: EndpointView, leaving: Mapping[InstanceId, Observation], *, now: datetime
) -> _Part:
    """Ask about the requests still in flight. Asking again for the same instances changes nothing."""
    pending = {
        instance: until
        for instance, until in endpoint.draining.items()
        if instance in leaving and not may_be_stopped(endpoint, view, instance, now=now)
    }
    deadlines = sorted(set(pending.values()))
    drains = tuple(Drain(tuple(i for i, until in pending.items() if until == at), until=at) for at in deadlines)
    return _Part(
        actions=drains,
        wake_at=min(deadlines, default=None),
        why=f"{len(pending)} draining" if pending else "",
    )


def stop_leaving(
    endpoint: Endpoint, view: EndpointView, leaving: Mapping[InstanceId, Observation], *, now: datetime
) -> _Part:
    """Stop what is dead and what has been drained."""
    stops = tuple(
        Stop(instance)
        for instance, observation in leaving.items()
        if observation.state in _DEAD or may_be_stopped(endpoint, view, instance, now=now)
    )
    return _Part(actions=stops, why=f"{len(stops)} to stop" if stops else "")


def may_be_stopped(endpoint: Endpoint, view: EndpointView, instance: InstanceId, *, now: datetime) -> bool:
    """Whether no request would be cut off, or has been waited for long enough."""
    until = endpoint.draining.get(instance)
    return until is not None and (instance in view.drained or now >= until)


def forgive_ready(endpoint: Endpoint, instances: Mapping[InstanceId, Observation]) -> _Part:
    """Look again when an instance has been ready for long enough to forget that it failed."""
    times = [forgiven_at(instances[instance]) for instance in endpoint.failures if instance in instances]
    return _Part(wake_at=min((at for at in times if at is not None), default=None))


def forget_deleted(endpoint: Endpoint, view: EndpointView, route: EndpointRoute | None) -> _Part:
    """Remove the record of a deleted endpoint of which nothing is left."""
    is_gone = endpoint.status is EndpointStatus.DELETING and not view.instances and is_published(view, route)
    return _Part(actions=(Forget(endpoint.key, endpoint.uid),), why="nothing is left") if is_gone else _Part()


def _waiting_for(endpoint: Endpoint, view: EndpointView) -> str:
    starting = [spec for spec in added_instances(endpoint) if not is_usable(endpoint, view.instances.get(spec.id))]
    return f"waiting for {len(starting)} instances to become ready" if starting else "as wanted"
