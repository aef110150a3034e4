"""Composite alarms: the state their rule gives them, and no rule that leads back to its own alarm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moorage.core.alarms.evaluate import Verdict
from moorage.core.alarms.model import COMPOSITE_MEMBER, Alarm, StateValue
from moorage.core.alarms.rule import alarms_of, holds, name_in, parse_rule

_DATA_MAX = 4000


def children_of(definition: Mapping[str, Any]) -> Sequence[str]:
    """The names of the alarms that a composite alarm goes by; none for a metric alarm."""
    if COMPOSITE_MEMBER not in definition:
        return ()
    return tuple(dict.fromkeys(map(name_in, alarms_of(parse_rule(definition[COMPOSITE_MEMBER])))))


def find_cycle(name: str, children: Iterable[str], definition_of: Callable[[str], Mapping[str, Any] | None]) -> bool:
    """Whether an alarm `name` with these children would go by itself, however many alarms are in between."""
    seen: set[str] = set()
    waiting = list(children)
    while waiting:
        child = waiting.pop()
        if child == name:
            return True
        if child in seen:
            continue
        seen.add(child)
        waiting.extend(children_of(definition_of(child) or {}))
    return False


def evaluate_composite(alarm: Alarm, alarms: Mapping[str, Alarm]) -> Verdict | None:
    """The state of a composite alarm, given the alarms of its region by name; None to leave it as it is."""
    rule = parse_rule(alarm.definition[COMPOSITE_MEMBER])
    value = StateValue.ALARM if holds(rule, lambda reference: _state_of(reference, alarms)) else StateValue.OK
    if value == alarm.state.value:
        return None
    children = [alarms[name] for name in children_of(alarm.definition) if name in alarms]
    return Verdict(value, _reason(children), _reason_data(children))


def _state_of(reference: str, alarms: Mapping[str, Alarm]) -> StateValue | None:
    alarm = alarms.get(name_in(reference))
    return None if alarm is None else alarm.state.value


def _reason(children: Sequence[Alarm]) -> str:
    if not children:
        return "Alarm rule evaluated"
    latest = max(children, key=lambda child: child.state.transitioned_at)
    return f"{latest.arn} transitioned to {latest.state.value} at {_spoken(latest.state.transitioned_at)}"


def _reason_data(children: Sequence[Alarm]) -> str:
    while True:
        data = {"triggeringAlarms": [_triggering(child) for child in children]}
        text = json.dumps(data, separators=(",", ":"))
        if len(text) <= _DATA_MAX:
            return text
        children = children[: len(children) // 2]


def _triggering(child: Alarm) -> Mapping[str, Any]:
    since = child.state.transitioned_at.astimezone(UTC)
    timestamp = f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}+0000"
    return {"arn": child.arn, "state": {"value": child.state.value, "timestamp": timestamp}}


def _spoken(when: datetime) -> str:
    return f"{when.astimezone(UTC):%A %d %B, %Y %H:%M:%S} UTC"
