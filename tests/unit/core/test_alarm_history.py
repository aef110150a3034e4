"""An alarm's history, however long the reasons are: always JSON, and within what DescribeAlarmHistory may answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from moorage.core.alarms.history import action_taken, configuration_update, state_update
from moorage.core.alarms.model import AlarmKey, StateValue, changed, new_alarm

AT = datetime(2026, 11, 21, 14, 5, 3, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(("old_length", "new_length", "kept"), [(100, 100, 2), (3000, 2000, 1), (3900, 3900, 0)])
def test_a_change_of_state_tells_as_much_as_there_is_room_for(old_length: int, new_length: int, kept: int) -> None:
    alarm = new_alarm(AlarmKey("us-east-1", "errors"), {}, account_id="123456789012", now=AT)
    reasons = [json.dumps({"a": "x" * length}) for length in (old_length, new_length)]
    before = changed(alarm, StateValue.OK, reason="y" * 200, reason_data=reasons[0], now=AT)
    after = changed(before, StateValue.ALARM, reason="z" * 200, reason_data=reasons[1], now=AT)

    item = state_update(after, before.state)

    data = json.loads(item.data)
    assert 4095 >= len(item.data)
    assert ["OK", "ALARM"] == [data[state]["stateValue"] for state in ("oldState", "newState")]
    assert kept == sum("stateReasonData" in data[state] for state in ("oldState", "newState"))


def test_actions_and_definitions_are_told() -> None:
    alarm = new_alarm(AlarmKey("us-east-1", "errors"), {"Threshold": 5.0}, account_id="123456789012", now=AT)
    assert 5.0 == json.loads(configuration_update("Update", alarm).data)["updatedAlarm"]["threshold"]
    long = new_alarm(alarm.key, {"AlarmDescription": "x" * 4095}, account_id="123456789012", now=AT)
    assert {"alarmName", "alarmArn"} == json.loads(configuration_update("Create", long).data)["createdAlarm"].keys()
    failed = action_taken(alarm, "arn:topic", new=alarm.state, error="no such topic")
    assert "Failed to execute action arn:topic" == failed.summary
    assert {
        "actionState": "Failed",
        "stateUpdateTimestamp": 1795269903250,
        "notificationResource": "arn:topic",
        "error": "no such topic",
    } == json.loads(failed.data)
    assert "Succeeded" == json.loads(action_taken(alarm, "a", new=alarm.state, error=None).data)["actionState"]
