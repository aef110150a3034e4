"""When a composite alarm keeps its actions to itself, because another alarm says that this is to be expected.

    the suppressor is in ALARM                     suppressed by it
    it has just left ALARM                         suppressed for the extension period
    the alarm has changed, and it is not in ALARM  suppressed for the wait period, in case it is about to be

Actions that waited are taken when the suppression ends, unless the alarm is back in its old state by then. Source:
CloudWatch user guide, "Alarm suppression".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from moorage.core.alarms.model import Alarm, DueAction, StateValue, Suppression
from moorage.core.alarms.rule import name_in

BY_ALARM: Final = "Alarm"
BY_EXTENSION: Final = "ExtensionPeriod"
BY_WAITING: Final = "WaitPeriod"


def suppress(alarm: Alarm, alarms: Mapping[str, Alarm], *, now: datetime) -> Alarm:
    """The alarm with its suppression as it is now, given the alarms of its region by name."""
    reference = alarm.definition.get("ActionsSuppressor")
    if reference is None:
        return alarm if alarm.suppression is None else replace(alarm, suppression=None)
    suppressor = alarms.get(name_in(reference))
    is_on = suppressor is not None and suppressor.state.value is StateValue.ALARM
    suppression = _next(alarm, is_on=is_on, suppressor=name_in(reference), now=now)
    due = alarm.due if suppression is None else _worth_keeping(alarm)
    if (suppression, due) == (alarm.suppression, alarm.due):
        return alarm
    return replace(alarm, suppression=suppression, due=due)


def _next(alarm: Alarm, *, is_on: bool, suppressor: str, now: datetime) -> Suppression | None:
    before = alarm.suppression
    if is_on:
        if before is not None and before.by == BY_ALARM:
            return before
        return Suppression(BY_ALARM, now, f"Actions suppressed by the alarm {suppressor}, which is in ALARM")
    if before is not None and before.by == BY_ALARM:
        reason = f"Actions suppressed for the extension period: the alarm {suppressor} was in ALARM until now"
        return _for_a_while(alarm, Suppression(BY_EXTENSION, now, reason), now=now)
    if before is not None:
        return _for_a_while(alarm, before, now=now)
    if not alarm.due:
        return None
    reason = f"Actions suppressed for the wait period: the alarm {suppressor} may go into ALARM"
    return _for_a_while(alarm, Suppression(BY_WAITING, now, reason), now=now)


def _for_a_while(alarm: Alarm, suppression: Suppression, *, now: datetime) -> Suppression | None:
    """The suppression, until its period is over."""
    seconds = alarm.definition[f"ActionsSuppressor{suppression.by}"]
    return None if now - suppression.since >= timedelta(seconds=seconds) else suppression


def _worth_keeping(alarm: Alarm) -> tuple[DueAction, ...]:
    """Of the actions that wait, those of the last change, as one from the state before the first."""
    if not alarm.due or alarm.due[0].old.value == alarm.state.value:
        return ()
    first = alarm.due[0].old
    return tuple(replace(each, old=first) for each in alarm.due if each.new == alarm.due[-1].new)
