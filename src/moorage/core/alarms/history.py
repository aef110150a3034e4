"""What happened to an alarm, in the words of DescribeAlarmHistory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from moorage.core.alarms.model import Alarm, AlarmState

VERSION: Final = "1.0"
_DATA_MAX: Final = 4095
_ERROR_MAX: Final = 1000
_DONE: Final = {"Create": "created", "Update": "updated", "Delete": "deleted"}


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One line of an alarm's history."""

    alarm_type: Literal["MetricAlarm", "CompositeAlarm"]
    item_type: Literal["ConfigurationUpdate", "StateUpdate", "Action"]
    summary: str
    data: str


def configuration_update(kind: Literal["Create", "Update", "Delete"], alarm: Alarm) -> HistoryItem:
    """The alarm was created, got another definition, or was deleted."""
    done = _DONE[kind]
    data = {"version": VERSION, "type": kind, f"{done}Alarm": _definition_of(alarm)}
    if len(_json(data)) > _DATA_MAX:
        data[f"{done}Alarm"] = {"alarmName": alarm.key.name, "alarmArn": alarm.arn}
    return _item(alarm, "ConfigurationUpdate", f'Alarm "{alarm.key.name}" {done}', data)


def state_update(alarm: Alarm, old: AlarmState) -> HistoryItem:
    """The alarm has got from `old` into the state it is in."""
    old_state, new_state = _state(old), _state(alarm.state)
    for state in (old_state, new_state):
        data = {"version": VERSION, "oldState": old_state, "newState": new_state}
        if len(_json(data)) > _DATA_MAX:
            state.pop("stateReasonData", None)
    return _item(alarm, "StateUpdate", f"Alarm updated from {old.value} to {alarm.state.value}", data)


def action_taken(alarm: Alarm, arn: str, *, new: AlarmState, error: str | None) -> HistoryItem:
    """An action was taken, or could not be."""
    data: dict[str, Any] = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": _millis(new.updated_at),
        "notificationResource": arn,
    }
    if error:
        data["error"] = error[:_ERROR_MAX]
    summary = f"{'Failed to execute' if error else 'Successfully executed'} action {arn}"
    return _item(alarm, "Action", summary, data)


def _item(
    alarm: Alarm,
    item_type: Literal["ConfigurationUpdate", "StateUpdate", "Action"],
    summary: str,
    data: Mapping[str, Any],
) -> HistoryItem:
    kind: Literal["MetricAlarm", "CompositeAlarm"] = "CompositeAlarm" if alarm.is_composite else "MetricAlarm"
    return HistoryItem(kind, item_type, summary[:255], _json(data))


def _definition_of(alarm: Alarm) -> Mapping[str, Any]:
    return {
        **{name[0].lower() + name[1:]: value for name, value in alarm.definition.items()},
        "alarmArn": alarm.arn,
        "alarmConfigurationUpdatedTimestamp": alarm.configured_at.isoformat(),
    }


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


def _state(state: AlarmState) -> dict[str, Any]:
    known: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    if state.reason_data:
        known["stateReasonData"] = json.loads(state.reason_data)
    return known


def _millis(when: datetime) -> int:
    return int(when.timestamp() * 1000)
