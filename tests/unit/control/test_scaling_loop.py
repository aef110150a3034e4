"""The loop that scales: what signals, calls and times come to, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from moorage.control.scaling.step import Call, look
from moorage.core.endpoint import update, wake
from moorage.core.idling import BUSY_MAX
from moorage.core.model import EndpointStatus
from moorage.core.scaling.combine import Verdict
from moorage.core.scaling.model import target_key
from moorage.store.scaling import find_target, list_policies
from moorage.testing.builders import KEY, make_variant
from moorage.testing.scaling_world import RESOURCE, TARGET, ScalingWorld

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

AT_ONCE = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[ScalingWorld]:
    world = ScalingWorld()
    await world.deploy()
    yield world
    await world.close()


async def tracked(world: ScalingWorld, *, minimum: int = 1, maximum: int = 10, **members: Any) -> None:
    """The endpoint under a policy of 60 invocations an instance and minute."""
    await world.register(minimum, maximum)
    await world.track(60.0, **members)
    await world.rest()


async def test_a_sustained_breach_is_answered_within_seconds(world: ScalingWorld) -> None:
    await tracked(world)
    await world.invoke(1, seconds=60)
    assert 1 == await world.count()

    await world.invoke(10, seconds=4)

    assert 10 == await world.count()
    [activity] = await world.activities()
    assert "Setting desired instance count to 10." == activity["Description"]
    assert "one-second signal triggered policy keep" == activity["Cause"]
    assert "Successful" == activity["StatusCode"]
    assert activity["StatusMessage"].endswith("Change successfully fulfilled by sagemaker.")


async def test_counts_that_are_taken_late_are_demand_all_the_same(world: ScalingWorld) -> None:
    await tracked(world)
    for _ in range(5):
        await world.clock.sleep(1.0)
        second = int(world.clock.now().timestamp())
        world.scaling.on_traffic(second, world.counted(second, 10))  # of a second that is not over
        await world.rest()

    assert await world.count() >= 9


async def test_the_least_target_there_may_be_is_tracked(world: ScalingWorld) -> None:
    await world.register(1, 10)
    await world.track(2.0**-360)
    await world.rest()
    await world.invoke(1000, seconds=3)

    assert [10] == world.counts


async def test_a_load_at_the_target_never_scales(world: ScalingWorld) -> None:
    await tracked(world)
    await world.invoke(1, seconds=1200)

    assert [] == world.counts


async def test_capacity_goes_in_after_the_cooldown_and_not_before(world: ScalingWorld) -> None:
    await tracked(world, ScaleInCooldown=120)
    await world.invoke(5, seconds=60)
    assert 5 == await world.count()

    await world.invoke(1, seconds=115)
    assert 5 == await world.count()
    await world.invoke(1, seconds=20)

    assert [5, 2] == world.counts[-2:]  # one alone would be at its target


async def test_a_variant_of_which_too_little_is_known_keeps_its_capacity(world: ScalingWorld) -> None:
    await world.register(1, 10)
    await world.save(_with_count(await world.endpoint(), 4))
    await world.track(60.0)
    await world.invoke(0, seconds=290)
    assert 4 == await world.count()

    await world.invoke(0, seconds=15)

    assert 1 == await world.count()


async def test_a_minimum_of_zero_lets_an_idle_variant_go(world: ScalingWorld) -> None:
    await tracked(world, minimum=0, ScaleInCooldown=60)
    await world.invoke(0, seconds=65)

    assert 0 == await world.count()


async def asleep(world: ScalingWorld, **members: Any) -> None:
    """The endpoint under a policy that has let all of its instances go, long ago."""
    await tracked(world, minimum=0, ScaleInCooldown=60, **members)
    await world.invoke(0, seconds=600)
    assert [0] == world.counts


async def test_who_was_woken_keeps_the_instance_while_the_request_waits_for_the_model(world: ScalingWorld) -> None:
    await asleep(world)
    await world.save(wake(await world.endpoint(), "AllTraffic"))
    await world.invoke(0, seconds=int(BUSY_MAX.total_seconds()) - 5)
    assert 1 == await world.count()

    await world.invoke(0, seconds=70)

    assert 0 == await world.count(), "nobody was answered as long as an answer may take, and for a cooldown more"


async def test_what_was_woken_is_let_go_a_cooldown_after_it_was_asked_last(world: ScalingWorld) -> None:
    await asleep(world)
    await world.save(wake(await world.endpoint(), "AllTraffic"))
    await world.invoke(0, seconds=90)
    await world.invoke(1, seconds=1)
    await world.invoke(0, seconds=55)
    assert 1 == await world.count()

    await world.invoke(0, seconds=10)

    assert 0 == await world.count()


async def test_what_is_tracked_by_requests_at_once_is_let_go_no_sooner(world: ScalingWorld) -> None:
    await asleep(world, PredefinedMetricSpecification=AT_ONCE)
    await world.save(wake(await world.endpoint(), "AllTraffic"))
    await world.invoke(1, seconds=1)
    await world.invoke(0, seconds=55)
    assert 1 == await world.count()

    await world.invoke(0, seconds=10)

    assert 0 == await world.count()


async def test_who_was_woken_may_get_more_at_once(world: ScalingWorld) -> None:
    await asleep(world)
    await world.save(wake(await world.endpoint(), "AllTraffic"))
    await world.invoke(10, seconds=4)

    assert await world.count() >= 8


async def test_requests_at_once_are_tracked_second_by_second(world: ScalingWorld) -> None:
    await world.register(1, 10)
    await world.track(4.0, PredefinedMetricSpecification=AT_ONCE)
    await world.rest()
    for _ in range(6):
        await world.clock.sleep(1.0)
        second = int(world.clock.now().timestamp())
        world.scaling.on_traffic(second, world.counted(second - 2, 0, in_flight=11))  # of a second that was measured
        await world.rest()
    assert [] == world.counts

    await world.invoke(0, seconds=5, in_flight=11)

    assert 3 == await world.count()


async def test_a_policy_that_never_scales_in_holds_no_other_back(world: ScalingWorld) -> None:
    await world.register(1, 10)
    await world.save(_with_count(await world.endpoint(), 4))
    await world.track(60.0, name="never", DisableScaleIn=True)
    await world.track(60.0, name="keep", ScaleInCooldown=60)
    await world.invoke(0, seconds=70)

    assert 1 == await world.count()


async def test_what_is_at_the_maximum_says_so_once(world: ScalingWorld) -> None:
    await tracked(world, maximum=2)
    await world.invoke(10, seconds=30)

    assert [2] == world.counts
    scaled, refused = await world.activities()
    assert [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 2, "CurrentCapacity": 2}] == refused["NotScaledReasons"]
    assert "Attempting to scale due to alarm triggered" == refused["Description"]
    assert [scaled] == await world.activities(all_of_them=False)


async def test_there_are_never_more_than_an_endpoint_may_have() -> None:
    world = ScalingWorld(instances_max=3)
    await world.deploy()
    await tracked(world, maximum=50)
    await world.invoke(20, seconds=10)

    assert [3] == world.counts
    await world.register(5, 50)
    await world.rest()
    assert [3] == world.counts
    await world.close()


@pytest.mark.parametrize(("at_capacity", "changed"), [(1, True), (2, False)])
async def test_what_was_decided_at_another_capacity_is_not_done(
    world: ScalingWorld, at_capacity: int, changed: bool
) -> None:
    await world.register(1, 10)
    await world.rest()
    call = Call(Verdict("keep", "so it was", 5), "cause", at_capacity)
    found = await world.store.run(lambda tx: look(tx, TARGET, call, instances_max=32, now=world.clock.now()))

    assert found is not None
    assert changed == found.changed


async def test_while_an_update_runs_nothing_is_scaled_and_then_it_is(world: ScalingWorld) -> None:
    await tracked(world)
    endpoint = await world.endpoint()
    await world.save(replace(endpoint, status=EndpointStatus.UPDATING))
    await world.invoke(10, seconds=10)

    assert [] == world.counts
    [refused] = await world.activities()
    assert [{"Code": "TargetServicePutResourceAsUnscalable"}] == refused["NotScaledReasons"]

    await world.settle()
    await world.invoke(10, seconds=2)

    assert await world.count() >= 8


async def test_a_change_that_was_taken_back_is_told_with_its_reason_and_tried_again_later(world: ScalingWorld) -> None:
    await tracked(world)
    world.hold = True
    await world.invoke(10, seconds=5)
    [running] = await world.activities()
    assert "InProgress" == running["StatusCode"]
    assert running["StatusMessage"].endswith("Waiting for change to be fulfilled by sagemaker.")
    await world.settle(failure_reason="no room")
    await world.rest()

    [failed] = await world.activities()
    assert ("Failed", running["ActivityId"]) == (failed["StatusCode"], failed["ActivityId"])
    assert failed["StatusMessage"].endswith("Reason: no room")

    await world.invoke(10, seconds=50)
    assert 1 == len(await world.activities())
    await world.invoke(10, seconds=15)
    assert 2 == len(await world.activities())


async def test_no_activity_goes_on_without_its_target(world: ScalingWorld) -> None:
    await tracked(world)
    world.hold = True
    await world.invoke(10, seconds=5)
    await world.call("DeregisterScalableTarget")
    await world.settle()

    [activity] = await world.activities()
    assert "Unfulfilled" == activity["StatusCode"]
    assert activity["StatusMessage"].endswith("The scalable target was deregistered meanwhile.")
    assert activity["EndTime"] >= activity["StartTime"]


async def test_registering_moves_a_capacity_inside_the_bounds_at_once(world: ScalingWorld) -> None:
    await world.register(3, 5)
    await world.rest()
    await world.register(1, 2)
    await world.rest()

    assert [3, 2] == world.counts
    assert ["minimum capacity was set to 3", "maximum capacity was set to 2"] == [
        activity["Cause"] for activity in await world.activities()
    ]


async def test_registering_again_moves_what_somebody_else_has_set_outside_the_bounds(world: ScalingWorld) -> None:
    await world.register(1, 5)
    await world.rest()
    await world.save(_with_count(await world.endpoint(), 8))
    await world.call("RegisterScalableTarget")
    await world.rest()

    assert [5] == world.counts


async def test_what_an_update_leaves_outside_the_bounds_is_moved_inside(world: ScalingWorld) -> None:
    await world.register(3, 5)
    await world.rest()
    await _update(world, count=1)
    assert [3, 3] == world.counts[:1] + world.counts[-1:]
    assert "minimum capacity was set to 3" == (await world.activities())[-1]["Cause"]

    await _update(world, count=4)

    assert 4 == await world.count()


async def test_what_a_call_has_set_outside_the_bounds_stays(world: ScalingWorld) -> None:
    await world.register(1, 5)
    await world.rest()
    busy = replace(await world.endpoint(), status=EndpointStatus.UPDATING)
    await world.save(busy)
    await world.save(_with_count(replace(await world.endpoint(), status=EndpointStatus.IN_SERVICE), 8))
    await world.rest()

    assert 8 == await world.count()


async def test_a_capacity_is_moved_once_the_endpoint_lets_itself_be_changed(world: ScalingWorld) -> None:
    await world.save(replace(await world.endpoint(), status=EndpointStatus.UPDATING))
    await world.register(3, 5)
    await world.rest()
    assert 1 == await world.count()

    await world.settle()
    await world.rest()

    assert 3 == await world.count()


@pytest.mark.parametrize(("member", "count"), [("DynamicScalingOutSuspended", 2), ("DynamicScalingInSuspended", 5)])
async def test_what_is_suspended_is_not_done(world: ScalingWorld, member: str, count: int) -> None:
    await world.register(1, 10, SuspendedState={member: True})
    await world.save(_with_count(await world.endpoint(), 2))
    await world.track(60.0, ScaleInCooldown=60)
    await world.invoke(5, seconds=90)
    await world.invoke(0, seconds=200 if member == "DynamicScalingInSuspended" else 0)

    assert count == await world.count()


async def test_a_scheduled_action_sets_bounds_and_is_gone_when_its_time_is_over(world: ScalingWorld) -> None:
    await world.register(1, 10)
    due = world.clock.now() + timedelta(seconds=90)
    await world.call(
        "PutScheduledAction",
        ScheduledActionName="morning",
        Schedule=f"at({due:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 4},
    )
    await world.clock.sleep(85)
    assert 1 == await world.count()
    await world.clock.sleep(10)

    assert 4 == await world.count()
    bounds, change = await world.activities()
    assert "Setting minimum capacity to 4 and maximum capacity to 10" == bounds["Description"]
    assert "scheduled action name morning was triggered" == bounds["Cause"]
    assert "minimum capacity was set to 4" == change["Cause"]
    assert [] == (await world.call("DescribeScheduledActions"))["ScheduledActions"]


@pytest.mark.parametrize(
    ("action", "bounds"),
    [
        ({"MinCapacity": 2}, (2, 6)),
        ({"MaxCapacity": 5}, (4, 5)),
        ({"MinCapacity": 8}, (8, 8)),
        ({"MaxCapacity": 3}, (3, 3)),
        ({"MinCapacity": 0, "MaxCapacity": 9}, (0, 9)),
    ],
)
async def test_a_bound_that_an_action_leaves_out_stays_unless_the_other_is_beyond_it(
    world: ScalingWorld, action: dict[str, int], bounds: tuple[int, int]
) -> None:
    await world.register(4, 6)
    await world.call(
        "PutScheduledAction", ScheduledActionName="hourly", Schedule="rate(1 hour)", ScalableTargetAction=action
    )
    await world.clock.sleep(3600 + 10)

    found = await world.store.run(lambda tx: find_target(tx, TARGET))
    assert found is not None
    assert bounds == (found.bounds.minimum, found.bounds.maximum)


async def test_a_time_that_passes_while_schedules_are_suspended_is_not_made_up_for(world: ScalingWorld) -> None:
    await world.register(1, 10, SuspendedState={"ScheduledScalingSuspended": True})
    await world.call(
        "PutScheduledAction",
        ScheduledActionName="hourly",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 2},
    )
    await world.clock.sleep(3600 + 10)
    await world.call("RegisterScalableTarget", SuspendedState={"ScheduledScalingSuspended": False})
    await world.rest()
    assert 1 == await world.count()

    await world.clock.sleep(3600)

    assert 2 == await world.count()


async def test_a_recurring_action_stays(world: ScalingWorld) -> None:
    await world.register(1, 10)
    await world.call(
        "PutScheduledAction",
        ScheduledActionName="hourly",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    await world.clock.sleep(3 * 3600 + 10)

    causes = [activity["Cause"] for activity in await world.activities()]
    assert 3 == causes.count("scheduled action name hourly was triggered")


async def test_targets_go_some_time_after_their_endpoint(world: ScalingWorld) -> None:
    await tracked(world)
    await world.remove_endpoint()
    await world.clock.sleep(200)
    assert 1 == len(
        (await world.call("DescribeScalableTargets", ResourceId=None, ScalableDimension=None))["ScalableTargets"]
    )

    await world.clock.sleep(200)

    assert None is await world.store.run(lambda tx: find_target(tx, TARGET))
    assert [] == await world.store.run(lambda tx: list_policies(tx, KEY.region))
    assert set() == await world.store.run(lambda tx: set(tx.alarms.regions()))


async def test_an_endpoints_namesake_does_not_inherit_its_targets(world: ScalingWorld) -> None:
    await tracked(world)
    await world.remove_endpoint()
    await world.deploy(uid="u2")
    await world.rest()

    assert None is await world.store.run(lambda tx: find_target(tx, TARGET))


async def test_cooldowns_and_changes_under_way_outlive_control(world: ScalingWorld) -> None:
    await tracked(world)
    world.hold = True
    await world.invoke(10, seconds=5)
    await world.close()
    successor = ScalingWorld()
    successor.store = world.store
    successor.scaling._store = world.store
    successor.api._store = world.store
    await successor.scaling.start()
    await successor.settle()
    await successor.rest()

    assert ["Successful"] == [activity["StatusCode"] for activity in await successor.activities()]
    found = await world.store.run(lambda tx: find_target(tx, target_key(KEY.region, RESOURCE)))
    assert found is not None
    assert found.memory.scale_out is not None
    await successor.close()


async def _update(world: ScalingWorld, *, count: int) -> None:
    """UpdateEndpoint to a config with so many instances, and what comes of it."""
    endpoint = await world.endpoint()
    variants = (make_variant(count=count),)
    await world.save(update(endpoint, config_name="other", variants=variants, now=world.clock.now()))
    await world.settle()
    await world.rest()


def _with_count(endpoint: Any, count: int) -> Any:
    serving = replace(endpoint.serving, variants=(replace(endpoint.serving.variants[0], desired_count=count),))
    return replace(endpoint, serving=serving)
