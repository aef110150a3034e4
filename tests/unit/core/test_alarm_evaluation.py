"""When a metric alarm changes its state: the tables of the user guide, and what must hold for any datapoints."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.alarms.condition import Comparison, Condition, MissingData, condition_of
from moorage.core.alarms.evaluate import Datapoint, evaluate
from moorage.core.alarms.model import StateValue

NOW: Final = datetime(2026, 11, 21, 14, 5, 3, 250_000, tzinfo=UTC)
OK, ALARM, UNKNOWN = StateValue.OK, StateValue.ALARM, StateValue.INSUFFICIENT_DATA
KEPT: Final = None
VALUES: Final = {"0": 10.0, "X": 26.0, "-": None}
TREATMENTS: Final = (MissingData.MISSING, MissingData.IGNORE, MissingData.BREACHING, MissingData.NOT_BREACHING)

# Datapoints, the latest last, and the state for each of the treatments. Source: CloudWatch user guide, "How alarm state
# is evaluated when data is missing", edition of 2020, in which the rows are complete.
THREE_OF_THREE: Final = [
    ("0-X-X", (OK, OK, OK, OK)),
    ("0----", (OK, OK, OK, OK)),
    ("-----", (UNKNOWN, KEPT, ALARM, OK)),
    ("0XX-X", (ALARM, ALARM, ALARM, ALARM)),
    ("----X", (UNKNOWN, KEPT, ALARM, OK)),
    ("X----", (ALARM, KEPT, ALARM, OK)),
    ("--X--", (ALARM, KEPT, ALARM, OK)),
]
TWO_OF_THREE: Final = [
    ("0-X-X", (ALARM, ALARM, ALARM, ALARM)),
    ("00X0X", (ALARM, ALARM, ALARM, ALARM)),
    ("0-X--", (OK, OK, ALARM, OK)),
    ("----0", (OK, OK, ALARM, OK)),
    ("----X", (UNKNOWN, KEPT, ALARM, OK)),
]
ROWS: Final = [
    (to_alarm, drawn, treatment, expected)
    for to_alarm, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for drawn, row in table
    for treatment, expected in zip(TREATMENTS, row, strict=True)
]


def condition(**members: object) -> Condition:
    known = {"periods": 3, "to_alarm": 3, "missing": MissingData.MISSING, "statistic": "Average", **members}
    return Condition(Comparison.ABOVE, 25.0, 60, **known)  # type: ignore[arg-type]


def drawn_as(drawn: str, *, samples: float | None = 1.0) -> list[Datapoint | None]:
    """Datapoints as the tables draw them; the last is from 14:04."""
    start = int((NOW - timedelta(minutes=len(drawn), seconds=3)).timestamp()) // 60 * 60
    values = [VALUES[each] for each in drawn]
    return [
        None if value is None else Datapoint(start + 60 * number, value, samples) for number, value in enumerate(values)
    ]


@pytest.mark.parametrize("current", list(StateValue))
@pytest.mark.parametrize(("to_alarm", "drawn", "treatment", "expected"), ROWS)
def test_the_tables_of_the_user_guide(
    to_alarm: int, drawn: str, treatment: MissingData, expected: StateValue | None, current: StateValue
) -> None:
    verdict = evaluate(condition(to_alarm=to_alarm, missing=treatment), drawn_as(drawn), current=current, now=NOW)
    state = current if verdict is None else verdict.value
    assert (current if expected is KEPT else expected) == state


def reason(drawn: str, *, current: StateValue = OK, **members: object) -> str:
    verdict = evaluate(condition(**members), drawn_as(drawn), current=current, now=NOW)
    assert verdict is not None
    return verdict.reason


def test_reasons_are_worded_as_the_service_words_them() -> None:
    assert (
        "Threshold Crossed: 1 datapoint [26.0 (21/11/26 14:04:00)] was greater than the threshold (25.0)."
    ) == reason("--X", periods=1, to_alarm=1)
    assert (
        "Threshold Crossed: 1 datapoint [10.0 (21/11/26 14:04:00)] was not greater than the threshold (25.0)."
    ) == reason("--0", periods=1, to_alarm=1, current=ALARM)
    assert (
        "Threshold Crossed: 2 out of the last 3 datapoints [26.0 (21/11/26 14:04:00), 26.0 (21/11/26 14:02:00)] were "
        "greater than the threshold (25.0) (minimum 2 datapoints for OK -> ALARM transition)."
    ) == reason("00X0X", to_alarm=2, says_to_alarm=True)
    assert (
        "Threshold Crossed: 2 out of the last 3 datapoints [10.0 (21/11/26 14:04:00), 10.0 (21/11/26 14:03:00)] were "
        "not greater than the threshold (25.0) (minimum 2 datapoints for ALARM -> OK transition)."
    ) == reason("00X00", to_alarm=2, says_to_alarm=True, current=ALARM)
    assert (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
        "[Breaching]."
    ) == reason("-----", missing=MissingData.BREACHING)
    assert "Insufficient Data: 3 datapoints were unknown." == reason("-----")
    assert "Insufficient Data: 2 datapoints were unknown." == reason("----X")
    assert (
        "Threshold Crossed: 1 datapoint [26.0 (21/11/26 14:04:00)] was greater than the threshold (25.0) and 2 missing "
        "datapoints were treated as [Breaching]."
    ) == reason("----X", missing=MissingData.BREACHING)
    assert "Threshold Crossed: 2 missing datapoints were treated as [NonBreaching]." == reason(
        "--X--", missing=MissingData.NOT_BREACHING, current=ALARM
    )


def test_the_reason_is_there_for_programs() -> None:
    verdict = evaluate(condition(periods=2, to_alarm=1), drawn_as("-0X"), current=OK, now=NOW)
    assert verdict is not None
    assert {
        "version": "1.0",
        "queryDate": "2026-11-21T14:05:03.250+0000",
        "startDate": "2026-11-21T14:03:00.000+0000",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [10.0, 26.0],
        "threshold": 25.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-11-21T14:04:00.000+0000", "sampleCount": 1.0, "value": 26.0},
            {"timestamp": "2026-11-21T14:03:00.000+0000", "sampleCount": 1.0, "value": 10.0},
        ],
    } == json.loads(verdict.reason_data)


def test_the_reason_of_a_long_look_back_keeps_to_the_longest_there_may_be() -> None:
    verdict = evaluate(condition(periods=1440, to_alarm=1440), drawn_as("X" * 1442), current=OK, now=NOW)
    assert verdict is not None
    assert 4000 >= len(verdict.reason_data)
    assert 1023 >= len(verdict.reason)
    assert "2026-11-21T14:04:00.000+0000" == json.loads(verdict.reason_data)["evaluatedDatapoints"][0]["timestamp"]


DEFINITION: Final = {
    "EvaluationPeriods": 1,
    "Period": 60,
    "Threshold": 25,
    "ComparisonOperator": "GreaterThanThreshold",
    "ExtendedStatistic": "p99",
}


@pytest.mark.parametrize(
    ("percentile", "samples", "expected"),
    [("p99", 999, OK), ("p99", 1000, ALARM), ("p10", 99, OK), ("p10", 100, ALARM)],
)
def test_a_percentile_of_few_samples_changes_nothing_if_told_to(
    percentile: str, samples: float, expected: StateValue
) -> None:
    told = {**DEFINITION, "ExtendedStatistic": percentile, "EvaluateLowSampleCountPercentile": "ignore"}
    verdict = evaluate(condition_of(told), drawn_as("--X", samples=samples), current=OK, now=NOW)
    assert expected == (OK if verdict is None else verdict.value)
    untold = {**DEFINITION, "ExtendedStatistic": percentile}
    assert evaluate(condition_of(untold), drawn_as("--X", samples=samples), current=OK, now=NOW) is not None


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", {26.0}),
        ("GreaterThanOrEqualToThreshold", {25.0, 26.0}),
        ("LessThanThreshold", {24.0}),
        ("LessThanOrEqualToThreshold", {24.0, 25.0}),
    ],
)
def test_comparisons(comparison: str, breaching: set[float]) -> None:
    read = condition_of({**DEFINITION, "ComparisonOperator": comparison})
    assert breaching == {value for value in (24.0, 25.0, 26.0) if read.breaches(value)}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Condition, str]:
    periods = draw(st.integers(1, 6))
    read = condition(
        periods=periods, to_alarm=draw(st.integers(1, periods)), missing=draw(st.sampled_from(MissingData))
    )
    return read, draw(st.text("0X-", min_size=read.range_periods, max_size=read.range_periods))


@given(cases(), st.sampled_from(StateValue))
def test_without_any_datapoint_only_the_treatment_of_missing_data_counts(
    case: tuple[Condition, str], current: StateValue
) -> None:
    read, drawn = case
    verdict = evaluate(read, drawn_as("-" * len(drawn)), current=current, now=NOW)
    states = {MissingData.MISSING: UNKNOWN, MissingData.BREACHING: ALARM, MissingData.NOT_BREACHING: OK}
    assert states.get(read.missing, current) == (current if verdict is None else verdict.value)


@given(cases(), st.sampled_from(StateValue))
def test_no_alarm_rings_unless_a_breaching_datapoint_or_breaching_gaps_say_so(
    case: tuple[Condition, str], current: StateValue
) -> None:
    read, drawn = case
    verdict = evaluate(read, drawn_as(drawn), current=current, now=NOW)
    if verdict is not None and verdict.value is ALARM:
        assert "X" in drawn or read.missing is MissingData.BREACHING


@given(cases(), st.sampled_from(StateValue))
def test_with_enough_datapoints_their_latest_decide_alone(case: tuple[Condition, str], current: StateValue) -> None:
    read, drawn = case
    latest = drawn.replace("-", "")[-read.periods :]
    if len(latest) < read.periods:
        return
    verdict = evaluate(read, drawn_as(drawn), current=current, now=NOW)
    expected = ALARM if latest.count("X") >= read.to_alarm else OK
    assert expected == (current if verdict is None else verdict.value)


@given(cases(), st.sampled_from(StateValue))
def test_an_alarm_that_was_just_evaluated_stays_as_it_is(case: tuple[Condition, str], current: StateValue) -> None:
    read, drawn = case
    verdict = evaluate(read, drawn_as(drawn), current=current, now=NOW)
    if verdict is not None:
        assert evaluate(read, drawn_as(drawn), current=verdict.value, now=NOW) is None
