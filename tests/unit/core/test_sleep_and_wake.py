"""Variants without instances: how they are woken and put to sleep, and what their routes say meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from moorage.core import endpoint as change
from moorage.core.fleets import first_instances_asleep, routed_instances
from moorage.core.idling import BUSY_MAX, Activity, is_idle
from moorage.core.model import Endpoint, EndpointStatus, InstanceState, LaunchFailures, Serverless, Variant
from moorage.core.plan import EndpointView, Launch, Plan, Publish
from moorage.core.reconcile import reconcile
from moorage.core.routes import EndpointRoute, VariantRoute
from moorage.testing.builders import T0, by_id, make_endpoint, make_variant, observe, specs_of

SERVERLESS = Serverless(memory_mb=2048, concurrency_max=5)


def in_service(*variants: Variant) -> Endpoint:
    endpoint = make_endpoint(*variants)
    return replace(endpoint, status=EndpointStatus.IN_SERVICE, serving=endpoint.target, target=None)


def serverless(*, count: int = 1, config: Serverless = SERVERLESS) -> Variant:
    return replace(make_variant(count=count), serverless=config)


def count_of(endpoint: Endpoint, name: str = "AllTraffic") -> int:
    assert endpoint.serving is not None
    return next(variant.desired_count for variant in endpoint.serving.variants if variant.name == name)


def decide(endpoint: Endpoint, state: InstanceState | None = None, *, reason: str | None = None) -> Plan:
    seen = [observe(spec, state, reason=reason) for spec in specs_of(endpoint, endpoint.serving)] if state else []
    return reconcile(EndpointView(endpoint, by_id(seen)), now=T0)


def published(plan: Plan) -> EndpointRoute | None:
    [route] = [action.route for action in plan.actions if isinstance(action, Publish)]
    return route


def routed(endpoint: Endpoint, state: InstanceState | None = None, *, reason: str | None = None) -> VariantRoute:
    route = published(decide(endpoint, state, reason=reason))
    assert route is not None
    return route.variants[0]


def test_a_variant_at_zero_gets_an_instance_and_the_status_stays() -> None:
    asleep = in_service(make_variant("a", count=0), make_variant("b", count=2))
    woken = change.wake(asleep, "a")
    assert (1, 2) == (count_of(woken, "a"), count_of(woken, "b"))
    assert (asleep.status, asleep.modified_at) == (woken.status, woken.modified_at)
    assert [spec.variant.name for spec in specs_of(woken, woken.serving)][:1] == [
        action.spec.variant.name for action in decide(woken).actions if isinstance(action, Launch)
    ][:1]


def test_what_is_awake_unknown_or_on_its_way_out_is_not_woken() -> None:
    awake = in_service(make_variant(count=2))
    assert awake == change.wake(awake, "AllTraffic")
    asleep = in_service(make_variant(count=0))
    assert asleep == change.wake(asleep, "Other")
    for status in (EndpointStatus.DELETING, EndpointStatus.FAILED, EndpointStatus.CREATING):
        ending = replace(asleep, status=status)
        assert ending == change.wake(ending, "AllTraffic")


def test_a_wake_during_a_change_of_capacities_holds_for_what_is_being_changed_to() -> None:
    shrinking = change.set_weights_and_capacities(
        in_service(make_variant(count=1)), {"AllTraffic": change.VariantChange(desired_count=0)}, now=T0
    )
    woken = change.wake(shrinking, "AllTraffic")
    assert woken.target is not None
    assert (1, 1) == (count_of(woken), woken.target.variants[0].desired_count)


def test_a_wake_during_an_update_leaves_the_new_fleet_alone() -> None:
    asleep = in_service(make_variant(count=0))
    updating = change.update(asleep, config_name="config-2", variants=[make_variant(count=0)], now=T0)
    woken = change.wake(updating, "AllTraffic")
    assert woken.target == updating.target
    assert 1 == count_of(woken)


def test_only_serverless_variants_of_an_endpoint_in_service_are_put_to_sleep() -> None:
    assert 0 == count_of(change.sleep(in_service(serverless()), "AllTraffic"))
    assert 1 == count_of(change.sleep(in_service(make_variant()), "AllTraffic"))
    updating = change.update(in_service(serverless()), config_name="config-2", variants=[serverless()], now=T0)
    assert updating == change.sleep(updating, "AllTraffic")


def test_a_variant_that_was_once_at_zero_is_held_for_whatever_becomes_of_its_count() -> None:
    plain = in_service(make_variant())
    assert plain.serving is not None
    assert not plain.serving.variants[0].wakes
    woken = change.wake(in_service(make_variant(count=0)), "AllTraffic")
    told = change.set_weights_and_capacities(woken, {"AllTraffic": change.VariantChange(desired_count=2)}, now=T0)
    assert woken.serving is not None
    assert told.target is not None
    assert [True, True] == [woken.serving.variants[0].wakes, told.target.variants[0].wakes]
    assert serverless(count=1).wakes


def test_the_route_of_a_variant_at_zero_says_that_it_wakes() -> None:
    assert routed(in_service(make_variant(count=0))).wakes
    assert not routed(in_service(make_variant())).wakes
    assert SERVERLESS.concurrency_max == routed(in_service(serverless())).requests_max


def test_a_woken_variant_whose_model_cannot_start_says_why_and_the_endpoint_stays_in_service() -> None:
    woken = change.wake(in_service(make_variant(count=0)), "AllTraffic")
    route = routed(woken, InstanceState.FAILED, reason="it has no inference.py")
    assert "it has no inference.py" in route.fault
    assert EndpointStatus.IN_SERVICE is decide(woken, InstanceState.FAILED).endpoint.status


@pytest.mark.parametrize(("is_hopeless", "failing"), [(False, 0), (False, 1), (True, 2)])
def test_a_plain_variant_says_why_it_is_down_once_none_of_its_instances_can_start(
    is_hopeless: bool, failing: int
) -> None:
    endpoint = in_service(make_variant(count=2))
    states = [InstanceState.FAILED] * failing + [InstanceState.STARTING] * (2 - failing)
    seen = [
        observe(spec, state, reason="it has no inference.py")
        for spec, state in zip(specs_of(endpoint, endpoint.serving), states, strict=True)
    ]
    route = published(reconcile(EndpointView(endpoint, by_id(seen)), now=T0))
    assert route is not None
    assert is_hopeless == ("it has no inference.py" in route.variants[0].fault)


def test_one_exit_while_waking_is_not_held_against_it() -> None:
    woken = change.wake(in_service(make_variant(count=0)), "AllTraffic")
    assert "" == routed(woken, InstanceState.EXITED, reason="it was killed").fault


def test_a_fault_is_forgotten_with_the_instance_that_had_it() -> None:
    woken = change.wake(in_service(serverless(count=0)), "AllTraffic")
    failed = decide(woken, InstanceState.FAILED, reason="it has no inference.py").endpoint
    assert failed.failures
    assert "" == routed(change.sleep(failed, "AllTraffic")).fault


def test_provisioned_concurrency_wakes_a_serverless_variant_for_good() -> None:
    asleep = in_service(serverless(count=0))
    changed = change.set_weights_and_capacities(
        asleep, {"AllTraffic": change.VariantChange(concurrency_max=8, provisioned_concurrency=3)}, now=T0
    )
    assert changed.target is not None
    [variant] = changed.target.variants
    assert Serverless(2048, 8, 3) == variant.serverless
    assert 1 == variant.desired_count


def test_an_instance_that_was_leaving_is_taken_back_unless_it_failed_or_its_stop_has_begun() -> None:
    woken = change.wake(in_service(make_variant(count=0)), "AllTraffic")
    [spec] = specs_of(woken, woken.serving)
    leaving = replace(woken, draining={spec.id: T0 + timedelta(minutes=8)})
    ready = by_id([observe(spec, InstanceState.READY)])
    view = EndpointView(leaving, ready)
    failed = replace(leaving, failures={spec.id: LaunchFailures(1, T0, "it fell ill")})
    assert {} == reconcile(view, now=T0).endpoint.draining
    assert spec.id in routed_instances(published(reconcile(view, now=T0)))
    assert leaving.draining == reconcile(replace(view, endpoint=failed), now=T0).endpoint.draining
    assert leaving.draining == reconcile(replace(view, stopping=frozenset({spec.id})), now=T0).endpoint.draining


def test_what_sleeps_would_start_with_its_first_instance() -> None:
    asleep = in_service(make_variant("a", count=0), make_variant("b", count=2))
    [spec] = first_instances_asleep(asleep)
    woken = change.wake(asleep, "a")
    assert spec.id == specs_of(woken, woken.serving)[0].id
    assert () == first_instances_asleep(replace(asleep, status=EndpointStatus.DELETING))


@pytest.mark.parametrize(
    ("is_busy", "after", "expected"),
    [
        (False, timedelta(seconds=299), False),
        (False, timedelta(seconds=300), True),
        (True, timedelta(seconds=300), False),
        (True, BUSY_MAX, True),
    ],
)
def test_idle_is_who_was_asked_nothing_for_long_enough(is_busy: bool, after: timedelta, expected: bool) -> None:
    activity = Activity(T0, is_busy=is_busy)
    assert expected is is_idle(activity, patience=timedelta(seconds=300), now=T0 + after)
