"""SetAlarmState, DeleteAlarms and the switches of actions: what is done with alarms that are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from moorage.api.cloudwatch.alarm_errors import in_use, invalid, invalid_format, no_such_alarm
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.aws.types.cloudwatch import (
    DeleteAlarmsInput,
    DisableAlarmActionsInput,
    EnableAlarmActionsInput,
    SetAlarmStateInput,
)
from moorage.core.alarms.composite import children_of
from moorage.core.alarms.history import configuration_update, state_update
from moorage.core.alarms.model import AlarmKey, StateValue, changed
from moorage.core.alarms.rule import name_in
from moorage.store.alarms import delete_alarm, find_alarm, list_alarms, save_alarm, write_history
from moorage.store.base import Transaction


class AlarmStates(Part):
    """The operations that change alarms without defining them."""

    @operation("SetAlarmState")
    async def set_alarm_state(self, caller: Caller, request: SetAlarmStateInput) -> None:
        """Put an alarm into a state, with the actions of getting there, until it is evaluated the next time."""
        reason_data = request.get("StateReasonData")
        _check_json(reason_data)
        now = self._clock.now()

        def set_state(tx: Transaction) -> None:
            alarm = find_alarm(tx, AlarmKey(caller.region, request["AlarmName"]))
            if alarm is None:
                raise no_such_alarm(request["AlarmName"])
            value, old = StateValue(request["StateValue"]), alarm.state
            alarm = save_alarm(
                tx, changed(alarm, value, reason=request["StateReason"], reason_data=reason_data, now=now)
            )
            if value != old.value:
                write_history(tx, alarm, state_update(alarm, old), at=now)

        await self._store.run(set_state)
        self._needs.wake_alarms()

    @operation("DeleteAlarms")
    async def delete_alarms(self, caller: Caller, request: DeleteAlarmsInput) -> None:
        """Remove up to a hundred alarms, one of them composite. Those that are there go even if others are not."""
        names = list(dict.fromkeys(request["AlarmNames"]))
        now = self._clock.now()

        def delete(tx: Transaction) -> list[str]:
            _check_deletable(tx, caller.region, names)
            return [name for name in names if not delete_alarm(tx, AlarmKey(caller.region, name), now=now)]

        missing = await self._store.run(delete)
        if missing:
            raise no_such_alarm(", ".join(missing))

    @operation("EnableAlarmActions")
    async def enable_alarm_actions(self, caller: Caller, request: EnableAlarmActionsInput) -> None:
        """Have alarms take actions when their state changes the next time."""
        await self._switch(caller, request["AlarmNames"], enabled=True)

    @operation("DisableAlarmActions")
    async def disable_alarm_actions(self, caller: Caller, request: DisableAlarmActionsInput) -> None:
        """Have alarms change their state without taking actions."""
        await self._switch(caller, request["AlarmNames"], enabled=False)

    async def _switch(self, caller: Caller, names: Sequence[str], *, enabled: bool) -> None:
        """Names of no alarm are passed over, as the service does."""
        now = self._clock.now()

        def switch(tx: Transaction) -> None:
            for name in dict.fromkeys(names):
                alarm = find_alarm(tx, AlarmKey(caller.region, name))
                if alarm is None or alarm.actions_enabled == enabled:
                    continue
                definition = {**alarm.definition, "ActionsEnabled": enabled}
                alarm = save_alarm(tx, replace(alarm, definition=definition, configured_at=now))
                write_history(tx, alarm, configuration_update("Update", alarm), at=now)

        await self._store.run(switch)


def _check_json(data: str | None) -> None:
    if not data:
        return
    try:
        json.dumps(json.loads(data), allow_nan=False)  # Python reads more than there is in JSON: NaN, and 1e999
    except (ValueError, RecursionError):
        raise invalid_format("StateReasonData is not valid JSON.") from None


def _check_deletable(tx: Transaction, region: str, names: Sequence[str]) -> None:
    found = {name: find_alarm(tx, AlarmKey(region, name)) for name in names}
    if sum(alarm is not None and alarm.is_composite for alarm in found.values()) > 1:
        raise invalid("At most one composite alarm can be deleted in one call.")
    parents: dict[str, list[str]] = {}
    for alarm in list_alarms(tx, region):
        if not alarm.is_composite or alarm.key.name in found:
            continue
        suppressor = alarm.definition.get("ActionsSuppressor")
        for child in [*children_of(alarm.definition), *([name_in(suppressor)] if suppressor else [])]:
            parents.setdefault(child, []).append(alarm.key.name)
    for name in names:
        if name in parents:
            raise in_use(name, parents[name])
