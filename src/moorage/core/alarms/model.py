"""What an alarm is: its definition in CloudWatch's words, its state, and the actions that are still to be taken.

How a definition is read is `condition` and `composite`; what becomes of a state is `evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

COMPOSITE_MEMBER: Final = "AlarmRule"
"""What only the definition of a composite alarm has."""

INITIAL_REASON: Final = "Unchecked: Initial alarm creation"


class AlarmKey(NamedTuple):
    """An alarm's name is its own within a region, whatever kind it is of."""

    region: str
    name: str


class StateValue(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


ACTION_MEMBERS: Final[Mapping[StateValue, str]] = {
    StateValue.OK: "OKActions",
    StateValue.ALARM: "AlarmActions",
    StateValue.INSUFFICIENT_DATA: "InsufficientDataActions",
}
"""Where a definition says what to do when the alarm gets into a state."""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """The state of an alarm and why it is in it."""

    value: StateValue
    reason: str
    reason_data: str | None
    """JSON, as CloudWatch answers it."""
    updated_at: datetime
    """Since when value and reason are what they are."""
    transitioned_at: datetime
    """Since when the value is what it is."""


@dataclass(frozen=True, slots=True)
class DueAction:
    """An action that a change of state asked for and that nobody has taken yet."""

    arn: str
    old: AlarmState
    new: AlarmState


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm."""

    key: AlarmKey
    arn: str
    definition: Mapping[str, Any]
    """The members of PutMetricAlarm or PutCompositeAlarm as they were accepted, but for its tags."""
    state: AlarmState
    created_at: datetime
    configured_at: datetime
    """When it was last put, enabled or disabled."""
    due: tuple[DueAction, ...] = ()
    """Saved with the change that asked for them, the oldest first."""
    suppression: Suppression | None = None
    revision: int = 0
    """Counts the saves."""

    @property
    def is_composite(self) -> bool:
        """Whether it goes by other alarms instead of a metric."""
        return COMPOSITE_MEMBER in self.definition

    @property
    def actions_enabled(self) -> bool:
        """Whether a change of state leads to actions."""
        return bool(self.definition.get("ActionsEnabled", True))

    def actions(self, value: StateValue) -> Sequence[str]:
        """The ARNs of what is to be done in a state."""
        return tuple(self.definition.get(ACTION_MEMBERS[value], ()))


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a composite alarm takes no actions for now, and the actions that wait until it is decided."""

    by: str
    """`WaitPeriod`, `ExtensionPeriod` or `Alarm`."""
    since: datetime
    reason: str


def alarm_arn(key: AlarmKey, *, account_id: str) -> str:
    """The ARN of the alarm of that name."""
    return f"arn:aws:cloudwatch:{key.region}:{account_id}:alarm:{key.name}"


def new_alarm(key: AlarmKey, definition: Mapping[str, Any], *, account_id: str, now: datetime) -> Alarm:
    """An alarm that nobody has evaluated yet."""
    state = AlarmState(StateValue.INSUFFICIENT_DATA, INITIAL_REASON, None, now, now)
    return Alarm(key, alarm_arn(key, account_id=account_id), dict(definition), state, now, now)


def configured(alarm: Alarm, definition: Mapping[str, Any], *, now: datetime) -> Alarm:
    """The alarm with another definition; its state stays, as CloudWatch leaves it."""
    return replace(alarm, definition=dict(definition), configured_at=now)


def changed(alarm: Alarm, value: StateValue, *, reason: str, reason_data: str | None, now: datetime) -> Alarm:
    """The alarm in a state, with the actions that getting there asks for."""
    is_transition = value != alarm.state.value
    since = now if is_transition else alarm.state.transitioned_at
    state = AlarmState(value, reason, reason_data, now, since)
    if not is_transition or not alarm.actions_enabled:
        return replace(alarm, state=state)
    due = tuple(DueAction(arn, alarm.state, state) for arn in alarm.actions(value))
    return replace(alarm, state=state, due=alarm.due + due)
