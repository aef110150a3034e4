"""Reconcilers with one fault each, which the simulation has to find: it is only as good as what it catches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from moorage.core import fleets, reconcile, setbacks
from moorage.core.model import Endpoint, Fleet, InstanceId, Observation, instance_id
from moorage.core.plan import EndpointView, Launch, Plan, Publish, Stop
from moorage.core.routes import EndpointRoute, VariantRoute
from moorage.core.status import Trigger, follow
from moorage.testing.simulation import run
from moorage.testing.world import PATIENCE_S
from moorage.testing.world_parts import Violation

SEEDS = 400

Mutate = Callable[[pytest.MonkeyPatch], None]
Change = Callable[[Plan, EndpointView], Plan]

MUTANTS: dict[str, Mutate] = {}


def mutant(make: Mutate) -> Mutate:
    MUTANTS[make.__name__] = make
    return make


def change_plans(patch: pytest.MonkeyPatch, change: Change) -> None:
    decide = reconcile.reconcile

    def mutated(view: EndpointView, *, now: datetime) -> Plan:
        return change(decide(view, now=now), view)

    patch.setattr(reconcile, "reconcile", mutated)


def change_routes(patch: pytest.MonkeyPatch, change: Callable[[VariantRoute, Fleet], VariantRoute]) -> None:
    make = reconcile.make_route

    def mutated(endpoint: Endpoint, fleet: Fleet, *view: Any, **rest: Any) -> EndpointRoute:
        route = make(endpoint, fleet, *view, **rest)
        return replace(route, variants=tuple(change(variant, fleet) for variant in route.variants))

    patch.setattr(reconcile, "make_route", mutated)


def _count_of(fleet: Fleet, name: str) -> int:
    return next(variant.desired_count for variant in fleet.variants if variant.name == name)


@mutant
def stops_before_it_publishes(patch: pytest.MonkeyPatch) -> None:
    change_plans(
        patch,
        lambda plan, _: replace(plan, actions=tuple(sorted(plan.actions, key=lambda a: not isinstance(a, Stop)))),
    )


@mutant
def stops_without_draining(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "may_be_stopped", lambda *_, **__: True)


@mutant
def counts_the_drain_from_before_the_routes_changed(patch: pytest.MonkeyPatch) -> None:
    draining = reconcile.draining_instances
    patch.setattr(reconcile, "DRAIN_LIMIT", timedelta(seconds=PATIENCE_S))  # without the slack that might hide it
    patch.setattr(
        reconcile, "draining_instances", lambda *args, may_start, now: draining(*args, may_start=True, now=now)
    )


@mutant
def drains_for_a_minute_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "DRAIN_LIMIT", timedelta(seconds=75))


@mutant
def drains_what_is_down_for_half_a_minute_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "DRAIN_LIMIT_DOWN", timedelta(seconds=30))


@mutant
def is_in_service_before_the_gateways_confirm(patch: pytest.MonkeyPatch) -> None:
    promote = reconcile.promote_target

    def mutated(endpoint: Endpoint, view: EndpointView) -> Endpoint:
        route = reconcile.wanted_route(endpoint, view.instances)
        return promote(endpoint, replace(view, published=route, settled=True))

    def is_settled(endpoint: Endpoint, view: EndpointView) -> bool:
        return endpoint.target is None and view.instances.keys() <= fleets.wanted_instances(endpoint).keys()

    patch.setattr(reconcile, "promote_target", mutated)
    patch.setattr(reconcile, "is_settled", is_settled)


@mutant
def is_in_service_while_old_instances_are_left(patch: pytest.MonkeyPatch) -> None:
    settled = reconcile.is_settled
    patch.setattr(
        reconcile,
        "is_settled",
        lambda endpoint, view: settled(endpoint, replace(view, instances=_wanted(endpoint, view))),
    )


def _wanted(endpoint: Endpoint, view: EndpointView) -> dict[InstanceId, Observation]:
    wanted = fleets.wanted_instances(endpoint)
    return {instance: seen for instance, seen in view.instances.items() if instance in wanted}


@mutant
def takes_silence_for_a_yes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "is_published", lambda view, route: view.published == route)


@mutant
def swaps_fleets_when_one_instance_is_ready(patch: pytest.MonkeyPatch) -> None:
    def mutated(endpoint: Endpoint, instances: Mapping[InstanceId, Observation]) -> bool:
        return endpoint.target is not None and any(
            fleets.is_usable(endpoint, instances.get(spec.id)) for spec in fleets.added_instances(endpoint)
        )

    patch.setattr(reconcile, "has_complete_target", mutated)


@mutant
def relaunches_under_a_new_identity(patch: pytest.MonkeyPatch) -> None:
    def mutated(plan: Plan, _: EndpointView) -> Plan:
        return replace(plan, actions=tuple(renamed(a, plan) if isinstance(a, Launch) else a for a in plan.actions))

    def renamed(action: Launch, plan: Plan) -> Launch:
        if action.spec.id not in plan.endpoint.failures:
            return action
        spec = action.spec
        other = instance_id(spec.uid, spec.generation, spec.variant.name, spec.ordinal + 100)
        return Launch(replace(spec, id=other, ordinal=spec.ordinal + 100))

    change_plans(patch, mutated)


@mutant
def leaves_orphans_alone(patch: pytest.MonkeyPatch) -> None:
    leaving = reconcile.leaving_instances
    patch.setattr(
        reconcile,
        "leaving_instances",
        lambda endpoint, instances, wanted: {
            i: o for i, o in leaving(endpoint, instances, wanted).items() if i in wanted
        },
    )


@mutant
def leaves_the_dead_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "is_down", lambda _: False)


@mutant
def publishes_equal_weights(patch: pytest.MonkeyPatch) -> None:
    make = reconcile.make_route

    def mutated(*view: Any, **rest: Any) -> EndpointRoute:
        route = make(*view, **rest)
        return replace(route, variants=tuple(replace(variant, weight=1.0) for variant in route.variants))

    patch.setattr(reconcile, "make_route", mutated)


@mutant
def routes_to_draining_instances(patch: pytest.MonkeyPatch) -> None:
    make = reconcile.make_route
    patch.setattr(
        reconcile,
        "make_route",
        lambda endpoint, *view, **rest: make(replace(endpoint, draining={}), *view, **rest),
    )


@mutant
def leaves_out_variants_without_instances(patch: pytest.MonkeyPatch) -> None:
    make = reconcile.make_route

    def mutated(*view: Any, **rest: Any) -> EndpointRoute:
        route = make(*view, **rest)
        return replace(route, variants=tuple(variant for variant in route.variants if variant.instances))

    patch.setattr(reconcile, "make_route", mutated)


@mutant
def lets_nobody_wait_for_a_variant_that_sleeps(patch: pytest.MonkeyPatch) -> None:
    change_routes(patch, lambda variant, _: replace(variant, wakes=False))


@mutant
def lets_nobody_wait_any_more_once_it_is_being_woken(patch: pytest.MonkeyPatch) -> None:
    change_routes(patch, lambda variant, fleet: replace(variant, wakes=_count_of(fleet, variant.name) == 0))


@mutant
def lets_whoever_waits_wait_for_an_instance_that_leaves(patch: pytest.MonkeyPatch) -> None:
    """As if an instance that is draining could not be taken back."""
    patch.setattr(reconcile, "take_back", lambda endpoint, _: endpoint)


@mutant
def launches_nothing_while_in_service(patch: pytest.MonkeyPatch) -> None:
    """As if only a change of the endpoint needed instances."""
    change_plans(
        patch,
        lambda plan, view: replace(
            plan,
            actions=tuple(
                a for a in plan.actions if not (isinstance(a, Launch) and view.endpoint.status == "InService")
            ),
        ),
    )


@mutant
def forgets_before_all_is_gone(patch: pytest.MonkeyPatch) -> None:
    forget = reconcile.forget_deleted
    patch.setattr(reconcile, "forget_deleted", lambda e, view, route: forget(e, replace(view, instances={}), route))


@mutant
def forgets_to_end_the_route(patch: pytest.MonkeyPatch) -> None:
    change_plans(
        patch,
        lambda plan, _: replace(
            plan, actions=tuple(a for a in plan.actions if not (isinstance(a, Publish) and a.route is None))
        ),
    )


@mutant
def never_gives_up_a_target(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "launch_fault", lambda *_: None)


@mutant
def rolls_back_at_once(patch: pytest.MonkeyPatch) -> None:
    give_up = reconcile.give_up_target

    def mutated(endpoint: Endpoint, fault: str, *, now: datetime) -> Endpoint:
        after = give_up(endpoint, fault, now=now)
        return replace(after, status=follow(after.status, Trigger.SETTLED)) if after.serving else after

    patch.setattr(reconcile, "give_up_target", mutated)


@mutant
def gives_up_the_serving_fleet_with_the_target(patch: pytest.MonkeyPatch) -> None:
    give_up = reconcile.give_up_target

    def mutated(endpoint: Endpoint, fault: str, *, now: datetime) -> Endpoint:
        after = give_up(endpoint, fault, now=now)
        return replace(after, serving=endpoint.target) if after.serving else after

    patch.setattr(reconcile, "give_up_target", mutated)


@mutant
def relaunches_without_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "launch_not_before", lambda _, *, now: now)
    patch.setattr(setbacks, "LAUNCH_ATTEMPTS_MAX", 1000)


@mutant
def holds_being_lost_against_an_instance(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setbacks, "_FAULTY", setbacks._DOWN)


@mutant
def forgets_its_timer(patch: pytest.MonkeyPatch) -> None:
    change_plans(patch, lambda plan, _: replace(plan, wake_at=None))


@mutant
def launches_the_target_only_once(patch: pytest.MonkeyPatch) -> None:
    """As if every missing instance had been launched already once one of its fleet is there."""
    change_plans(
        patch,
        lambda plan, view: replace(
            plan, actions=tuple(a for a in plan.actions if not (isinstance(a, Launch) and view.instances))
        ),
    )


@pytest.mark.parametrize("name", MUTANTS)
def test_is_killed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    for seed in range(SEEDS):
        try:
            run(seed, reconcile.reconcile)
        except Violation:
            return
    pytest.fail(f"a reconciler that {name.replace('_', ' ')} lived through {SEEDS} seeds")
