"""The reconciler, one behaviour a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core import endpoint as change
from moorage.core.fleets import make_route
from moorage.core.model import Container, Endpoint, EndpointStatus, InstanceState, LaunchFailures, Observation
from moorage.core.plan import Drain, EndpointView, Forget, Launch, Plan, Publish, Stop
from moorage.core.reconcile import DRAIN_LIMIT, DRAIN_LIMIT_DOWN, reconcile
from moorage.core.setbacks import LAUNCH_ATTEMPTS_MAX, REASON_LENGTH_MAX
from moorage.testing.builders import T0, by_id, make_endpoint, make_variant, observe, specs_of

NOW = T0 + timedelta(seconds=10)
READY, STARTING, UNHEALTHY = InstanceState.READY, InstanceState.STARTING, InstanceState.UNHEALTHY
EXITED, FAILED, LOST = InstanceState.EXITED, InstanceState.FAILED, InstanceState.LOST


def creating(count: int = 2) -> Endpoint:
    return make_endpoint(make_variant(count=count))


def serving(count: int = 2) -> Endpoint:
    endpoint = creating(count)
    return replace(endpoint, status=EndpointStatus.IN_SERVICE, serving=endpoint.target, target=None)


def updating(count: int = 2) -> Endpoint:
    return change.update(serving(count), config_name="config-2", variants=[make_variant(model="iris-2")], now=T0)


def seen(endpoint: Endpoint, *states: InstanceState | None, since: datetime = T0) -> list[Observation]:
    """The instances of the serving fleet, then those of the target, in these states; None for one that is not there."""
    fleets = [fleet for fleet in (endpoint.serving, endpoint.target) if fleet]
    specs = {spec.id: spec for fleet in fleets for spec in specs_of(endpoint, fleet)}
    return [
        observe(s, state, since=since, reason="It died.")
        for s, state in zip(specs.values(), states, strict=True)
        if state
    ]


def view(endpoint: Endpoint, *observed: Observation, is_published: bool = True, **more: object) -> EndpointView:
    """What the loop would see, with the serving fleet's ready instances published unless said otherwise."""
    instances = by_id(observed)
    published = make_route(endpoint, endpoint.serving, instances) if endpoint.serving and is_published else None
    return replace(EndpointView(endpoint, instances=instances, published=published), **more)  # type: ignore[arg-type]


def decide(view: EndpointView, now: datetime = NOW) -> Plan:
    return reconcile(view, now=now)


def kinds(plan: Plan) -> list[str]:
    return [type(action).__name__ for action in plan.actions]


def test_a_new_endpoint_has_its_fleet_launched() -> None:
    plan = decide(view(creating()))
    assert ["Launch", "Launch"] == kinds(plan)
    assert "2 missing" == plan.why


def test_what_is_starting_is_waited_for() -> None:
    endpoint = creating()
    plan = decide(view(endpoint, *seen(endpoint, READY, STARTING)))
    assert [] == kinds(plan)
    assert plan.wake_at is None
    assert "waiting for 1 instances to become ready" == plan.why


def test_a_complete_fleet_is_published_before_the_endpoint_is_in_service() -> None:
    endpoint = creating()
    plan = decide(view(endpoint, *seen(endpoint, READY, READY)))
    assert ["Publish"] == kinds(plan)
    assert EndpointStatus.CREATING == plan.endpoint.status


def test_an_acknowledged_fleet_is_in_service() -> None:
    endpoint = creating()
    observed = seen(endpoint, READY, READY)
    assert endpoint.target is not None
    route = make_route(endpoint, endpoint.target, by_id(observed))
    plan = decide(view(endpoint, *observed, published=route))
    assert EndpointStatus.IN_SERVICE == plan.endpoint.status
    assert endpoint.target == plan.endpoint.serving
    assert plan.endpoint.target is None
    assert [] == kinds(plan)


def test_an_unsettled_publication_is_no_acknowledgement() -> None:
    endpoint = creating()
    observed = seen(endpoint, READY, READY)
    assert endpoint.target is not None
    route = make_route(endpoint, endpoint.target, by_id(observed))
    plan = decide(view(endpoint, *observed, published=route, settled=False))
    assert ["Publish"] == kinds(plan)
    assert EndpointStatus.CREATING == plan.endpoint.status


def test_a_permanent_fault_fails_the_creation_at_once() -> None:
    endpoint = creating()
    plan = decide(view(endpoint, *seen(endpoint, FAILED, STARTING)))
    assert EndpointStatus.FAILED == plan.endpoint.status
    assert plan.endpoint.failure_reason is not None
    assert plan.endpoint.failure_reason.startswith(
        "The primary container for production variant AllTraffic failed to start: It died. Please check CloudWatch logs"
    )
    assert ["Drain", "Stop"] == kinds(plan)


def test_a_reason_in_the_services_own_words_is_quoted() -> None:
    endpoint = creating(1)
    words = "The primary container for production variant AllTraffic did not pass the ping health check."
    [spec] = specs_of(endpoint, endpoint.target)
    assert words == decide(view(endpoint, observe(spec, FAILED, reason=words))).endpoint.failure_reason


SAYS_SO = "The forest container for production variant AllTraffic did not pass the ping health check."


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        (
            "The forest container for production variant AllTraffic failed to start: It died. {}/forest).",
            "forest: It died",
        ),
        ("A container for production variant AllTraffic failed to start: It died. {}).", "It died"),
        ("A container for production variant AllTraffic failed to start: trees: It died. {}).", "trees: It died"),
        (SAYS_SO, SAYS_SO),
    ],
)
def test_the_one_of_several_containers_that_is_at_fault_is_named(expected: str, reason: str) -> None:
    containers = tuple(Container("image", name=name) for name in ("scale", "forest"))
    endpoint = make_endpoint(replace(make_variant(), containers=containers))
    [spec] = specs_of(endpoint, endpoint.target)
    see = f"Please check CloudWatch logs for this endpoint (log stream AllTraffic/{spec.id}"
    failure = decide(view(endpoint, observe(spec, FAILED, reason=reason))).endpoint.failure_reason
    assert expected.format(see) == failure


@given(reason=st.text(max_size=2000))
def test_a_failure_reason_fits_the_field(reason: str) -> None:
    endpoint = creating(1)
    [spec] = specs_of(endpoint, endpoint.target)
    failure = decide(view(endpoint, observe(spec, FAILED, reason=reason))).endpoint.failure_reason
    assert failure is not None
    assert REASON_LENGTH_MAX >= len(failure)


@pytest.mark.parametrize("reason", ["header check", "header check.", None])
def test_a_cause_and_where_to_read_on_are_two_sentences(reason: str | None) -> None:
    endpoint = creating(1)
    [spec] = specs_of(endpoint, endpoint.target)
    failure = decide(view(endpoint, observe(spec, FAILED, reason=reason))).endpoint.failure_reason
    assert failure is not None
    cause = "no cause was given" if reason is None else "header check"
    assert f"failed to start: {cause}. Please check CloudWatch logs" in failure


def test_an_exit_while_creating_is_tried_again_twice() -> None:
    endpoint = creating(1)
    [spec] = specs_of(endpoint, endpoint.target)
    now = NOW
    for attempt in (1, 2):
        endpoint = decide(view(endpoint, observe(spec, EXITED, since=now)), now).endpoint
        assert attempt == endpoint.failures[spec.id].count
        assert EndpointStatus.CREATING == endpoint.status
        now += timedelta(seconds=5)
    failed = decide(view(endpoint, observe(spec, EXITED, since=now, reason="Killed.")), now).endpoint
    assert EndpointStatus.FAILED == failed.status
    assert "Killed." in (failed.failure_reason or "")


def test_one_exit_is_counted_once() -> None:
    endpoint = serving(1)
    exited = seen(endpoint, EXITED)
    once = decide(view(endpoint, *exited)).endpoint
    assert once == decide(view(once, *exited), NOW + timedelta(seconds=1)).endpoint


def test_an_instance_lost_is_launched_again_at_once_however_often() -> None:
    endpoint = creating(1)
    [spec] = specs_of(endpoint, endpoint.target)
    for _ in range(LAUNCH_ATTEMPTS_MAX + 1):
        lost = decide(view(endpoint, observe(spec, LOST)))
        assert [Stop(spec.id)] == list(lost.actions)
        endpoint = lost.endpoint
        assert {} == endpoint.failures
        assert [Launch(spec)] == list(decide(view(endpoint)).actions)


def test_being_lost_clears_nobody_of_failures_before() -> None:
    endpoint = serving(1)
    [spec] = specs_of(endpoint, endpoint.serving)
    failing = replace(endpoint, failures={spec.id: LaunchFailures(count=3, last_at=NOW, reason="It died.")})
    assert failing.failures == decide(view(failing, observe(spec, LOST))).endpoint.failures


@pytest.mark.parametrize(("count", "wait_s"), [(1, 0), (2, 1), (3, 2), (4, 4), (7, 32), (8, 60), (5000, 60)])
def test_relaunches_back_off(count: int, wait_s: int) -> None:
    endpoint = serving(1)
    [spec] = specs_of(endpoint, endpoint.serving)
    failing = replace(endpoint, failures={spec.id: LaunchFailures(count=count, last_at=NOW, reason="It died.")})
    due = NOW + timedelta(seconds=wait_s)
    if wait_s:
        assert due == decide(view(failing)).wake_at
        assert "Launch" not in kinds(decide(view(failing), due - timedelta(milliseconds=1)))
    assert Launch(spec) == decide(view(failing), due).actions[0]


def test_failures_are_forgotten_after_a_minute_in_service() -> None:
    endpoint = serving(1)
    [spec] = specs_of(endpoint, endpoint.serving)
    failing = replace(endpoint, failures={spec.id: LaunchFailures(count=5, last_at=T0, reason="It died.")})
    ready = seen(endpoint, READY, since=NOW)
    forgiven_at = NOW + timedelta(seconds=60)
    assert forgiven_at == decide(view(failing, *ready)).wake_at
    assert {} == decide(view(failing, *ready), forgiven_at).endpoint.failures


def test_a_dead_instance_leaves_the_routes_before_it_is_cleared_away() -> None:
    endpoint = serving()
    before = view(endpoint, *seen(endpoint, READY, READY)).published
    plan = decide(view(endpoint, *seen(endpoint, EXITED, READY), published=before))
    assert ["Publish", "Stop"] == kinds(plan)


def test_an_unhealthy_instance_is_drained_before_it_is_stopped() -> None:
    endpoint = serving()
    sick, well = specs_of(endpoint, endpoint.serving)
    observed = seen(endpoint, UNHEALTHY, READY)
    drain = decide(view(endpoint, *observed))
    assert [Drain((sick.id,), until=NOW + DRAIN_LIMIT_DOWN)] == list(drain.actions)
    assert NOW + DRAIN_LIMIT_DOWN == drain.wake_at
    stop = decide(view(drain.endpoint, *observed, drained=frozenset({sick.id})))
    assert [Stop(sick.id)] == list(stop.actions)
    assert Launch(sick) in decide(view(stop.endpoint, observe(well, READY))).actions


def test_a_drain_ends_at_its_deadline() -> None:
    endpoint = serving(1)
    observed = seen(endpoint, UNHEALTHY)
    draining = decide(view(endpoint, *observed)).endpoint
    assert ["Stop"] == kinds(decide(view(draining, *observed), NOW + DRAIN_LIMIT_DOWN))


def test_an_instance_that_falls_ill_while_it_is_drained_is_waited_for_no_longer_than_another() -> None:
    smaller = {"AllTraffic": change.VariantChange(desired_count=1)}
    endpoint = change.set_weights_and_capacities(serving(), smaller, now=T0)
    assert endpoint.target is not None
    well, ill = seen(endpoint, READY, READY), seen(endpoint, READY, UNHEALTHY)
    route = make_route(endpoint, endpoint.target, by_id(well))
    leaving = specs_of(endpoint, endpoint.serving)[1].id
    draining = decide(view(endpoint, *well, published=route)).endpoint
    assert {leaving: NOW + DRAIN_LIMIT} == draining.draining
    later = NOW + timedelta(seconds=10)
    draining = decide(view(draining, *ill, published=route), later).endpoint
    assert {leaving: later + DRAIN_LIMIT_DOWN} == draining.draining
    much_later = later + timedelta(seconds=10)
    assert {leaving: later + DRAIN_LIMIT_DOWN} == decide(
        view(draining, *ill, published=route), much_later
    ).endpoint.draining


def test_a_variant_without_instances_is_still_listed() -> None:
    endpoint = serving(1)
    before = view(endpoint, *seen(endpoint, READY)).published
    [publish, *_] = decide(view(endpoint, *seen(endpoint, EXITED), published=before)).actions
    assert isinstance(publish, Publish)
    assert publish.route is not None
    assert [("AllTraffic", ())] == [(variant.name, variant.instances) for variant in publish.route.variants]


def test_the_old_fleet_serves_until_the_new_one_is_complete() -> None:
    endpoint = updating()
    assert [] == kinds(decide(view(endpoint, *seen(endpoint, READY, READY, STARTING))))


def test_an_update_retires_the_old_fleet_when_the_new_one_is_acknowledged() -> None:
    endpoint = updating()
    observed = seen(endpoint, READY, READY, READY)
    assert endpoint.target is not None
    old = tuple(spec.id for spec in specs_of(endpoint, endpoint.serving))
    plan = decide(view(endpoint, *observed, published=make_route(endpoint, endpoint.target, by_id(observed))))
    assert "config-2" == plan.endpoint.config_name
    assert EndpointStatus.UPDATING == plan.endpoint.status
    assert [Drain(old, until=NOW + DRAIN_LIMIT)] == list(plan.actions)


def test_a_failed_update_is_rolled_back_and_then_in_service_with_the_reason() -> None:
    endpoint = updating()
    rolled_back = decide(view(endpoint, *seen(endpoint, READY, READY, FAILED)))
    assert ["Stop"] == kinds(rolled_back)
    settled = decide(view(rolled_back.endpoint, *seen(rolled_back.endpoint, READY, READY))).endpoint
    assert EndpointStatus.IN_SERVICE == settled.status
    assert "config-1" == settled.config_name
    assert "It died." in (settled.failure_reason or "")


def test_the_serving_fleet_is_repaired_during_an_update() -> None:
    endpoint = updating()
    assert [Launch(specs_of(endpoint, endpoint.serving)[1])] == list(
        decide(view(endpoint, *seen(endpoint, READY, None, STARTING))).actions
    )


def test_a_failed_resize_rolls_back() -> None:
    bigger = {"AllTraffic": change.VariantChange(desired_count=3)}
    endpoint = change.set_weights_and_capacities(serving(), bigger, now=T0)
    plan = decide(view(endpoint, *seen(endpoint, READY, READY, FAILED)))
    assert EndpointStatus.ROLLING_BACK == plan.endpoint.status
    assert ["Stop"] == kinds(plan)


def test_scaling_in_takes_the_highest_ordinals() -> None:
    smaller = {"AllTraffic": change.VariantChange(desired_count=1)}
    endpoint = change.set_weights_and_capacities(serving(3), smaller, now=T0)
    observed = seen(endpoint, READY, READY, READY)
    assert endpoint.target is not None
    leaving = tuple(spec.id for spec in specs_of(endpoint, endpoint.serving)[1:])
    plan = decide(view(endpoint, *observed, published=make_route(endpoint, endpoint.target, by_id(observed))))
    assert [Drain(leaving, until=NOW + DRAIN_LIMIT)] == list(plan.actions)


def test_new_weights_are_in_service_as_soon_as_they_are_acknowledged() -> None:
    heavier = {"AllTraffic": change.VariantChange(desired_weight=3.0)}
    endpoint = change.set_weights_and_capacities(serving(), heavier, now=T0)
    observed = seen(endpoint, READY, READY)
    assert ["Publish"] == kinds(decide(view(endpoint, *observed)))
    assert endpoint.target is not None
    route = make_route(endpoint, endpoint.target, by_id(observed))
    assert EndpointStatus.IN_SERVICE == decide(view(endpoint, *observed, published=route)).endpoint.status


def test_deleting_ends_the_route_then_drains_then_stops_then_forgets() -> None:
    endpoint = change.delete(serving(1), now=T0)
    observed = seen(endpoint, READY)
    [spec] = specs_of(endpoint, endpoint.serving)
    assert [Publish(endpoint.key, None)] == list(decide(view(endpoint, *observed)).actions)
    drain = decide(view(endpoint, *observed, is_published=False))
    assert ["Drain"] == kinds(drain)
    drained = view(drain.endpoint, *observed, is_published=False, drained=frozenset({spec.id}))
    assert [Stop(spec.id)] == list(decide(drained).actions)
    assert [Forget(endpoint.key, endpoint.uid)] == list(decide(view(endpoint, is_published=False)).actions)


def test_an_endpoint_as_wanted_is_left_alone() -> None:
    endpoint = serving()
    plan = decide(view(endpoint, *seen(endpoint, READY, READY)))
    assert Plan(endpoint=endpoint, why="as wanted") == plan


_STATES = st.sampled_from([None, *InstanceState])


@given(states=st.tuples(_STATES, _STATES, _STATES), settled=st.booleans())
def test_actions_come_in_the_order_that_keeps_callers_safe(
    states: tuple[InstanceState | None, InstanceState | None, InstanceState | None], settled: bool
) -> None:
    endpoint = updating()
    order = {Launch: 0, Publish: 1, Drain: 2, Stop: 3}
    ranks = [
        order[type(action)] for action in decide(view(endpoint, *seen(endpoint, *states), settled=settled)).actions
    ]
    assert sorted(ranks) == ranks


@given(states=st.tuples(_STATES, _STATES, _STATES))
def test_deciding_again_about_the_saved_endpoint_changes_nothing_more(
    states: tuple[InstanceState | None, InstanceState | None, InstanceState | None],
) -> None:
    endpoint = updating()
    observed = seen(endpoint, *states)
    saved = decide(view(endpoint, *observed)).endpoint
    assert saved == decide(replace(view(endpoint, *observed), endpoint=saved)).endpoint
