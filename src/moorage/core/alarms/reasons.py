"""Why an alarm is in its state, in CloudWatch's words: StateReason and StateReasonData."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from moorage.core.alarms.condition import COMPARISONS, Condition, MissingData
from moorage.core.alarms.model import StateValue

_SHOWN_MAX: Final = 5
_REASON_MAX: Final = 1023
_DATA_MAX: Final = 4000
_TREATED_AS: Final = {
    MissingData.MISSING: "Missing",
    MissingData.IGNORE: "Ignored",
    MissingData.BREACHING: "Breaching",
    MissingData.NOT_BREACHING: "NonBreaching",
}


class _Measured(Protocol):
    """A datapoint, see `evaluate.Datapoint`."""

    @property
    def at_s(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def samples(self) -> float | None: ...


def reason_of(
    condition: Condition, recent: Sequence[_Measured], *, missing: int, old: StateValue, new: StateValue
) -> str:
    """What the datapoints that decided were, the latest first.

    `Threshold Crossed: 1 datapoint [26.0 (21/11/26 14:03:00)] was greater than the threshold (25.0).`
    """
    is_ringing = new is StateValue.ALARM
    decisive = [each for each in reversed(recent) if condition.breaches(each.value) == is_ringing]
    negation = "" if is_ringing else "not "
    _, words = COMPARISONS[condition.comparison]
    shown = ", ".join(f"{each.value} ({_short(each.at_s)})" for each in decisive[:_SHOWN_MAX])
    verb = "was" if len(decisive) == 1 else "were"
    if not decisive:
        return f"Threshold Crossed: {_filled(condition, missing)}."
    relation = f"[{shown}] {verb} {negation}{words} the threshold ({condition.threshold})"
    filled = f" and {_filled(condition, missing)}" if missing and not _is_silent(condition) else ""
    if not condition.says_to_alarm:
        return f"Threshold Crossed: {_count(len(decisive), 'datapoint')} {relation}{filled}."[:_REASON_MAX]
    needed = condition.to_alarm if is_ringing else condition.periods - condition.to_alarm + 1
    return (
        f"Threshold Crossed: {len(decisive)} out of the last {condition.periods} datapoints {relation}{filled} "
        f"(minimum {_count(needed, 'datapoint')} for {old} -> {new} transition)."
    )[:_REASON_MAX]


def reason_missing(condition: Condition) -> str:
    """There is no datapoint at all, and that decided."""
    periods = _count(condition.periods, "period")
    filled = _filled(condition, condition.periods)
    return f"Threshold Crossed: no datapoints were received for {periods} and {filled}."


def reason_unknown(missing: int) -> str:
    """There is too little to decide by."""
    return f"Insufficient Data: {_count(missing, 'datapoint')} {'was' if missing == 1 else 'were'} unknown."


def reason_data(condition: Condition, recent: Sequence[_Measured], *, now: datetime) -> str:
    """The same for programs, as JSON."""
    data: dict[str, Any] = {"version": "1.0", "queryDate": _long(now)}
    if recent:
        data["startDate"] = _long(datetime.fromtimestamp(recent[0].at_s, UTC))
    if condition.statistic is not None:
        data["statistic"] = condition.statistic
    if condition.unit is not None:
        data["unit"] = condition.unit
    data |= {
        "period": condition.period_s,
        "recentDatapoints": [each.value for each in recent],
        "threshold": condition.threshold,
        "evaluatedDatapoints": [_evaluated(each) for each in reversed(recent)],
    }
    text = _compact(data)
    while len(text) > _DATA_MAX:  # up to a day of minutes may have been looked at
        half = len(data["recentDatapoints"]) // 2
        data["recentDatapoints"] = data["recentDatapoints"][-half:]
        data["evaluatedDatapoints"] = data["evaluatedDatapoints"][:half]
        text = _compact(data)
    return text


def _evaluated(each: _Measured) -> dict[str, Any]:
    known: dict[str, Any] = {"timestamp": _long(datetime.fromtimestamp(each.at_s, UTC))}
    if each.samples is not None:
        known["sampleCount"] = each.samples
    return {**known, "value": each.value}


def _filled(condition: Condition, missing: int) -> str:
    verb = "was" if missing == 1 else "were"
    return f"{_count(missing, 'missing datapoint')} {verb} treated as [{_TREATED_AS[condition.missing]}]"


def _is_silent(condition: Condition) -> bool:
    """Whether missing datapoints were left out rather than counted as something."""
    return condition.missing in (MissingData.MISSING, MissingData.IGNORE)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _short(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%d/%m/%y %H:%M:%S")


def _long(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"


def _compact(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))
