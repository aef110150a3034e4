"""The loop that watches alarms, in virtual time: when it looks, what it saves, and which actions it takes how often."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from moorage.control.alarms.actions import ActionFailed
from moorage.control.alarms.datapoints import datapoints
from moorage.core.alarms.model import StateValue
from moorage.testing.alarm_world import METRIC, POLICY, TOPIC, AlarmWorld, Refusing
from moorage.testing.memory_store import MemoryStore

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

OK, ALARM, UNKNOWN = StateValue.OK, StateValue.ALARM, StateValue.INSUFFICIENT_DATA


@pytest_asyncio.fixture
async def world() -> AsyncIterator[AlarmWorld]:
    world = AlarmWorld()
    world.start()
    yield world
    await world.loop.close()


async def test_an_alarm_rings_after_the_minute_and_says_so_once(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC], OKActions=[TOPIC])
    await world.wait(10)
    await world.measure(8)
    await world.wait(49)
    assert UNKNOWN == await world.state("errors")

    await world.wait(6)

    alarm = await world.alarm("errors")
    assert (ALARM, ()) == (alarm.state.value, alarm.due)
    assert (
        "Threshold Crossed: 1 datapoint [8.0 (01/01/26 12:00:00)] was greater than the threshold (5.0)."
    ) == alarm.state.reason
    await world.wait(100)
    assert [("errors", "INSUFFICIENT_DATA", "ALARM")] == world.actions.told
    assert ["Alarm updated from INSUFFICIENT_DATA to ALARM"] == await world.history("errors", "StateUpdate")
    assert [f"Successfully executed action {TOPIC}"] == await world.history("errors", "Action")


async def test_an_alarm_goes_back_when_the_datapoints_do_and_is_unsure_when_they_stop(world: AlarmWorld) -> None:
    await world.put("errors")
    for value in (8, 1):
        await world.measure(value)
        await world.wait(64)
    assert OK == await world.state("errors")

    await world.wait(300)

    assert UNKNOWN == await world.state("errors")
    assert [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to INSUFFICIENT_DATA",
    ] == await world.history("errors", "StateUpdate")


async def test_a_new_alarm_is_evaluated_at_once_on_what_was_before_it(world: AlarmWorld) -> None:
    await world.measure(8)
    await world.wait(90)
    await world.put("errors")
    await world.wait(1)
    assert ALARM == await world.state("errors")


async def test_short_periods_are_looked_at_every_ten_seconds(world: AlarmWorld) -> None:
    await world.put("errors", Period=10)
    await world.measure(8)
    await world.wait(14)
    assert ALARM == await world.state("errors")


async def test_disabled_actions_are_not_taken(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC], ActionsEnabled=False)
    await world.measure(8)
    await world.wait(70)
    assert (ALARM, []) == (await world.state("errors"), world.actions.told)


async def test_a_state_that_was_set_acts_and_lasts_until_the_next_evaluation(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC])
    await world.wait(5)
    await world.set_state("errors", ALARM)
    await world.wait(5)
    assert (ALARM, [("errors", "INSUFFICIENT_DATA", "ALARM")]) == (await world.state("errors"), world.actions.told)
    await world.wait(60)
    assert UNKNOWN == await world.state("errors")


async def test_a_scaling_policy_is_told_every_minute_while_the_state_lasts(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[POLICY, TOPIC])
    for _ in range(4):
        await world.measure(8)
        await world.wait(60)
    await world.wait(5)
    repeated = [arn for arn, change in world.actions.taken if change.old == change.new]
    assert [POLICY] * 3 == repeated
    assert [POLICY, TOPIC] == [arn for arn, change in world.actions.taken if change.old != change.new]


async def test_an_action_that_was_not_taken_when_control_died_is_taken_by_the_next(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC])
    world.actions.error = Refusing()
    await world.measure(8)
    await world.wait(70)
    assert (ALARM, 1) == (await world.state("errors"), len((await world.alarm("errors")).due))

    world.actions.error = None
    await world.restart()
    await world.wait(1)

    assert [("errors", "INSUFFICIENT_DATA", "ALARM")] == world.actions.told
    assert () == (await world.alarm("errors")).due


async def test_an_action_that_cannot_be_taken_is_said_to_have_failed(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC])
    world.actions.error = ActionFailed("no such topic")
    await world.set_state("errors", ALARM)
    await world.wait(1)
    assert () == (await world.alarm("errors")).due
    assert [f"Failed to execute action {TOPIC}"] == await world.history("errors", "Action")


async def test_an_action_that_fails_for_an_hour_is_given_up(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC])
    world.actions.error = Refusing()
    await world.set_state("errors", ALARM)
    await world.wait(3500)
    assert 1 == len((await world.alarm("errors")).due)
    await world.wait(200)
    assert () == (await world.alarm("errors")).due


async def test_an_action_that_cannot_be_taken_holds_up_no_other(world: AlarmWorld) -> None:
    await world.put("errors", AlarmActions=[TOPIC, POLICY], OKActions=[TOPIC])
    world.actions.error, world.actions.only = Refusing(), TOPIC
    await world.set_state("errors", ALARM)
    await world.wait(1)
    assert [POLICY] == [arn for arn, _ in world.actions.taken]

    await world.set_state("errors", OK)
    await world.wait(1)
    world.actions.error = None
    await world.wait(10)

    told_topic = [change.new.value for arn, change in world.actions.taken if arn == TOPIC]
    assert [ALARM, OK] == told_topic
    assert () == (await world.alarm("errors")).due


async def test_a_store_that_is_away_costs_time_only() -> None:
    store = MemoryStore()
    world = AlarmWorld(store)
    world.start()
    await world.put("errors", AlarmActions=[TOPIC])
    await world.measure(8)
    store.unavailable = True
    await world.wait(70)
    store.unavailable = False
    await world.wait(10)
    assert (ALARM, 1) == (await world.state("errors"), len(world.actions.told))
    await world.loop.close()


async def test_metrics_that_cannot_be_read_leave_an_alarm_as_it_is(world: AlarmWorld) -> None:
    await world.put("errors", TreatMissingData="breaching")
    await world.measure(1)
    await world.wait(65)
    assert OK == await world.state("errors")
    world.metrics.unavailable = True
    await world.wait(600)
    assert OK == await world.state("errors")
    world.metrics.unavailable = False
    await world.wait(61)
    assert ALARM == await world.state("errors")


async def test_an_expression_is_watched_like_a_metric(world: AlarmWorld) -> None:
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    await world.put(
        "twice",
        **dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period")),
        Metrics=[
            {"Id": "m", "MetricStat": stat, "ReturnData": False},
            {"Id": "e", "Expression": "m * 2", "ReturnData": True},
        ],
    )
    await world.measure(3)
    await world.wait(70)
    assert "[6.0 (01/01/26 12:00:00)]" in (await world.alarm("twice")).state.reason


async def test_composite_alarms_follow_their_children_through_each_other(world: AlarmWorld) -> None:
    await world.put("errors")
    await world.put("upper", AlarmRule="ALARM(lower) AND NOT FALSE", AlarmActions=[TOPIC])
    await world.put("lower", AlarmRule='ALARM("errors") OR INSUFFICIENT_DATA(nothing)')
    await world.wait(1)
    assert [OK, OK] == [await world.state(name) for name in ("lower", "upper")]

    await world.set_state("errors", ALARM)
    await world.wait(1)

    assert [ALARM, ALARM] == [await world.state(name) for name in ("lower", "upper")]
    assert [("upper", "OK", "ALARM")] == world.actions.told
    reason = (await world.alarm("upper")).state.reason
    assert (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:lower transitioned to ALARM at Thursday 01 January," in reason
    )


async def test_a_composite_that_was_set_stays_until_a_child_changes(world: AlarmWorld) -> None:
    await world.put("errors")
    await world.put("upper", AlarmRule="ALARM(errors)")
    await world.wait(1)
    await world.set_state("upper", ALARM)
    await world.wait(200)
    assert ALARM == await world.state("upper")
    await world.measure(1)
    await world.wait(70)
    assert OK == await world.state("upper")


SUPPRESSED = {
    "AlarmRule": "ALARM(errors)",
    "AlarmActions": [TOPIC],
    "OKActions": [TOPIC],
    "ActionsSuppressor": "deploying",
    "ActionsSuppressorWaitPeriod": 120,
    "ActionsSuppressorExtensionPeriod": 180,
}


async def suppressible(world: AlarmWorld) -> None:
    for name in ("errors", "deploying"):
        await world.put(name, TreatMissingData="ignore")
        await world.set_state(name, OK)
    await world.put("calls", **SUPPRESSED)
    await world.wait(200)
    world.actions.taken.clear()


async def test_actions_wait_in_case_the_suppressor_is_about_to_ring(world: AlarmWorld) -> None:
    await suppressible(world)
    await world.set_state("errors", ALARM)
    await world.wait(100)
    suppression = (await world.alarm("calls")).suppression
    assert suppression is not None
    assert ("WaitPeriod", []) == (suppression.by, world.actions.told)
    await world.wait(40)
    assert [("calls", "OK", "ALARM")] == world.actions.told


async def test_actions_are_held_while_the_suppressor_rings_and_a_while_longer(world: AlarmWorld) -> None:
    await suppressible(world)
    await world.set_state("deploying", ALARM)
    await world.set_state("errors", ALARM)
    await world.wait(1000)
    assert [] == world.actions.told
    await world.set_state("deploying", OK)
    await world.wait(170)
    assert [] == world.actions.told
    await world.wait(30)
    assert [("calls", "OK", "ALARM")] == world.actions.told


async def test_what_is_over_by_then_is_not_told(world: AlarmWorld) -> None:
    await suppressible(world)
    await world.set_state("errors", ALARM)
    await world.wait(30)
    await world.set_state("errors", OK)
    await world.wait(500)
    assert [] == world.actions.told


async def test_others_can_ask_for_the_datapoints_an_alarm_goes_by(world: AlarmWorld) -> None:
    await world.put("errors")
    await world.measure(8)
    await world.wait(125)
    alarm = await world.alarm("errors")
    found = await datapoints(alarm, world.metrics, now=world.clock.now(), count=3)
    assert found is not None
    assert [None, 8.0, None] == [each and each.value for each in found]
    assert METRIC.name == alarm.definition["MetricName"]
