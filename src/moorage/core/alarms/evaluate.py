"""Which state a metric alarm gets into, by the datapoints of its last periods: the rules of "How alarm state is
evaluated when data is missing" in CloudWatch's user guide, whose tables are the tests' oracle.

A period without a datapoint is None, never zero. More periods than are evaluated are looked at, so that a gap does not
have to be filled as long as enough of the datapoints in range are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from moorage.core.alarms.condition import Condition, MissingData
from moorage.core.alarms.model import StateValue
from moorage.core.alarms.reasons import reason_data, reason_missing, reason_of, reason_unknown


class Datapoint(NamedTuple):
    """What the statistic, or the expression, came to in one period."""

    at_s: int
    """When the period began, in seconds since 1970."""
    value: float
    samples: float | None = None
    """How many values it comes from, if that is known."""


class Verdict(NamedTuple):
    """The state that the datapoints call for."""

    value: StateValue
    reason: str
    reason_data: str


def evaluate(
    condition: Condition, datapoints: Sequence[Datapoint | None], *, current: StateValue, now: datetime
) -> Verdict | None:
    """The state for the datapoints of the evaluation range, the oldest first; None to leave the alarm as it is."""
    recent = [each for each in datapoints if each is not None][-condition.periods :]
    if recent and _says_too_little(condition, recent[-1]):
        return None
    value = _decide(condition, datapoints, recent)
    if value is None or value == current:
        return None
    missing = condition.periods - len(recent)
    if value is StateValue.INSUFFICIENT_DATA:
        text = reason_unknown(missing)
    elif recent:
        text = reason_of(condition, recent, missing=missing, old=current, new=value)
    else:
        text = reason_missing(condition)
    return Verdict(value, text, reason_data(condition, recent, now=now))


def _says_too_little(condition: Condition, latest: Datapoint) -> bool:
    return latest.samples is not None and latest.samples < condition.samples_min


def _decide(
    condition: Condition, datapoints: Sequence[Datapoint | None], recent: Sequence[Datapoint]
) -> StateValue | None:
    """The state to be in; None for the one the alarm has."""
    breaching = sum(condition.breaches(each.value) for each in recent)
    missing = condition.periods - len(recent)
    if missing == 0 or breaching >= condition.to_alarm:
        return _ringing(breaching >= condition.to_alarm)
    match condition.missing:
        case MissingData.BREACHING:
            return _ringing(breaching + missing >= condition.to_alarm)
        case MissingData.NOT_BREACHING:
            return StateValue.OK
        case MissingData.IGNORE:
            return StateValue.OK if breaching < len(recent) else None
        case MissingData.MISSING:
            return _without_missing(condition, datapoints, breaching=breaching, existing=len(recent))


def _without_missing(
    condition: Condition, datapoints: Sequence[Datapoint | None], *, breaching: int, existing: int
) -> StateValue:
    """Gaps count as nothing. Datapoints that are all breaching are enough once the oldest is as old as it takes.

    A single breaching one among the latest is not: the next might not be ("avoiding premature transitions").
    """
    if breaching < existing:
        return StateValue.OK
    if not existing:
        return StateValue.INSUFFICIENT_DATA
    oldest = next(place for place, each in enumerate(datapoints) if each is not None)
    is_old_enough = len(datapoints) - oldest >= condition.to_alarm
    return StateValue.ALARM if is_old_enough else StateValue.INSUFFICIENT_DATA


def _ringing(is_breaching: bool) -> StateValue:
    return StateValue.ALARM if is_breaching else StateValue.OK
