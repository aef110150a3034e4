"""Metric maths: the examples of the user guide, what is refused, and that hostile expressions cost little."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.metrics.maths.errors import ExpressionError, TooMuchWork
from moorage.core.metrics.maths.evaluation import evaluate
from moorage.core.metrics.maths.parser import parse
from moorage.core.metrics.maths.scope import Scope
from moorage.core.metrics.maths.values import TimeSeries, Value, Window

MINUTE: Final = 60
START: Final = 1_700_000_040 // MINUTE * MINUTE  # Tuesday, 14 November 2023, 22:14 in UTC


def series(*values: float | None, label: str = "") -> TimeSeries:
    """A value a minute, None for a missing one."""
    points = {START + at * MINUTE: float(value) for at, value in enumerate(values) if value is not None}
    return TimeSeries(points, MINUTE, label)


METRIC1: Final = series(30, 20, 0, 0, label="one")
METRIC2: Final = series(20, None, 20, None, label="two")


def compute(expression: str, minutes: int = 4, **values: Value) -> list[float | None] | list[list[float | None]]:
    """What `expression` comes to, as `series` takes it."""
    metrics = {id_: value for id_, value in values.items() if isinstance(value, TimeSeries)}
    window = Window(START, START + minutes * MINUTE, MINUTE)
    result = evaluate(parse(expression), Scope(window, values, metrics))

    def values_of(found: TimeSeries) -> list[float | None]:
        assert list(found.points) == sorted(found.points)
        return [found.points.get(at) for at in window.times(MINUTE)]

    return values_of(result) if isinstance(result, TimeSeries) else [values_of(found) for found in result]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", [30, 20, 0, 0]),
        ("5 * m2", [100, None, 100, None]),
        ("m1 - m2", [10, 20, -20, 0]),  # a missing value counts as 0
        ("m1 / m2", [1.5, None, 0, None]),  # what divides by 0 is dropped
        ("-m2 ^ 2", [-400, None, -400, None]),
        ("2 ^ -1 * m1", [15, 10, 0, 0]),
        ("2 ^ 3 ^ 2 * m2 / 20", [512, None, 512, None]),
        ("m1 - 1 - 1", [28, 18, -2, -2]),
        ("(m1 + 2) * 2 + 1e1", [74, 54, 14, 14]),
        ("m2 / 0", [None, None, None, None]),
        ("(0 - 8) ^ 0.5 + m1", [None, None, None, None]),
        ("10 ^ 400 * m1", [None, None, None, None]),
        ("m1 < m2", [0, 0, 1, 0]),
        ("m1 >= 30", [1, 0, 0, 0]),
        ("m1 > 15 AND m2 > 15", [1, 0, 0, 0]),
        ("m1 > 15 && m2 > 15 || m1 == 0", [1, 0, 1, 1]),
        ("m1 != 20", [1, 0, 1, 1]),
        ("[m1, m2] * 2", [[60, 40, 0, 0], [40, None, 40, None]]),
        ("100 / [m1, m2]", [[100 / 30, 5, None, None], [5, None, 5, None]]),
        ("[m1, m2] - m1", [[0, 0, 0, 0], [-10, -20, 20, 0]]),
        ("-[m2]", [[-20, None, -20, None]]),
        ("m1 - AVG(m1)", [17.5, 7.5, -12.5, -12.5]),
        ("m1 * 0 + AVG(m2)", [10, 10, 10, 10]),  # missing values count as 0
        ("m1 * 0 + SUM(m2) / DATAPOINT_COUNT(m2)", [20, 20, 20, 20]),
        ("AVG([m1, m2])", [25, 10, 10, 0]),
        ("SUM(METRICS())", [50, 20, 20, 0]),
        ("SUM([METRICS(\"1\"), METRICS('2')])", [50, 20, 20, 0]),
        ('METRICS("1")', [[30, 20, 0, 0]]),
        ("MIN(METRICS())", [20, 20, 0, 0]),
        ("MAX(METRICS())", [30, 20, 20, 0]),
        ("DATAPOINT_COUNT(METRICS())", [2, 1, 2, 1]),
        ("STDDEV(METRICS())", [5, 0, 10, 0]),
        ("TIME_SERIES(MAX(m1) - MIN(m1))", [30, 30, 30, 30]),
        ("TIME_SERIES(STDDEV(m2))", [0, 0, 0, 0]),
        ("TIME_SERIES(METRIC_COUNT(METRICS()))", [2, 2, 2, 2]),
        ("TIME_SERIES(MAX(m1 / 0))", [None, None, None, None]),
        ("m1 / PERIOD(m1)", [0.5, 1 / 3, 0, 0]),
        ("ABS(m2 - 30)", [10, None, 10, None]),
        ("CEIL(m1 / 7)", [5, 3, 0, 0]),
        ("FLOOR([m1 / 7])", [[4, 2, 0, 0]]),
        ("LOG10(m1 * 10 / 3)", [2, math.log10(200 / 3), None, None]),
        ("LOG(m2 / 20)", [0, None, 0, None]),
        ("DIFF(m1)", [None, -10, -20, 0]),
        ("DIFF_TIME(m2)", [None, None, 120, None]),
        ("RATE(m1)", [None, -1 / 6, -1 / 3, 0]),
        ("RUNNING_SUM(METRICS())", [[30, 50, 50, 50], [20, None, 40, None]]),
        ("FILL(m2, 7)", [20, 7, 20, 7]),
        ("FILL(m2, MAX(m1))", [20, 30, 20, 30]),
        ("FILL(METRICS(), m1)", [[30, 20, 0, 0], [20, 20, 20, 0]]),
        ("FILL(m2, REPEAT)", [20, 20, 20, 20]),
        ("FILL(m2 / 2 + RUNNING_SUM(m2) / 20, LINEAR)", [11, 11.5, 12, None]),
        ("FIRST(SORT(METRICS(), AVG, DESC))", [30, 20, 0, 0]),
        ("LAST([m1, m2])", [20, None, 20, None]),
        ("SORT(METRICS(), SUM, ASC)", [[20, None, 20, None], [30, 20, 0, 0]]),
        ("SORT(METRICS(), MAX, DESC, 1)", [[30, 20, 0, 0]]),
        ("SLICE(METRICS(), 1)", [[20, None, 20, None]]),
        ("SLICE(METRICS(), 0, 1)", [[30, 20, 0, 0]]),
        ("REMOVE_EMPTY([m1 / 0, m2])", [[20, None, 20, None]]),
        ("MINUTE(m2)", [14, 15, 16, 17]),
        ("HOUR(m2)", [22, 22, 22, 22]),
        ("DAY(m2)", [2, 2, 2, 2]),
        ("DATE(m2)", [14, 14, 14, 14]),
        ("MONTH(m2)", [11, 11, 11, 11]),
        ("YEAR(m2)", [2023, 2023, 2023, 2023]),
        ("EPOCH(m2) - EPOCH(m2) + DATE(m1)", [14, 14, 14, 14]),
        ("IF(m1 < 25, m1)", [None, 20, 0, 0]),
        ("IF(m1 < 25, 10, 2)", [2, 10, 10, 10]),
        ("IF(DAY(m1) < 6, m1)", [30, 20, 0, 0]),
        ("IF(1, m2, m1)", [20, None, 20, None]),
        ("IF(0, m2)", [None, None, None, None]),
        ("SUM([m1 * 0 + 1e308, m1 * 0 + 1e308])", [None, None, None, None]),  # more than a number can be
        ("AVG([m1 * 0 + 1e308, m1 * 0 + 1e308])", [None, None, None, None]),
        ("TIME_SERIES(SUM(m1 * 0 + 1e308))", [None, None, None, None]),
        ("CEIL(FILL(m2, 1e400))", [20, None, 20, None]),
        ("FLOOR(IF(m1 < 25, 1e400, m1))", [30, None, None, None]),
        ("FILL(m2 * (30 - RUNNING_SUM(m2)) / 200 * 1.7e308, LINEAR)", [1.7e308, None, -1.7e308, None]),
    ],
)
def test_an_expression(expression: str, expected: Any) -> None:
    found = compute(expression, m1=METRIC1, m2=METRIC2)
    assert found == (expected if isinstance(expected[0], list) else pytest.approx(expected))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
    ],
)
def test_the_guides_examples_of_if(expression: str, expected: list[float | None]) -> None:
    found = compute(
        expression,
        minutes=5,
        metric1=series(1, 1, 0, 0, None),
        metric2=series(30, None, 0, 0, 30),
        metric3=series(0, 0, 20, None, 20),
    )
    assert expected == found


def test_an_element_of_an_array_keeps_its_label() -> None:
    scope = Scope(Window(START, START + 240, MINUTE), {}, {"m1": METRIC1, "m2": METRIC2})
    found = evaluate(parse("SORT(FILL(100 * METRICS(), 0) + 1, SUM, ASC)"), scope)
    assert isinstance(found, tuple)
    assert ["two", "one"] == [each.label for each in found]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "unexpected 'the end'"),
        ("m1 +", "unexpected 'the end' at position 5"),
        ("(m1", "unexpected 'the end'"),
        ("m1)", r"unexpected '\)' at position 3"),
        ("m1 m2", "unexpected 'm2'"),
        ("m1 % 2", "Invalid syntax at '% 2'"),
        ("m1 + 'a", "Invalid syntax"),
        ("AND m1", "unexpected 'AND'"),
        ("5", r"must come to TS or TS\[\], and this one comes to S"),
        ("AVG(m1)", "comes to S"),
        ("'a'", "comes to str"),
        ("REPEAT", "comes to Word"),
        ("m9", "no query with the id 'm9'"),
        ("[m1] + [m2]", r"Unsupported operand type\(s\) for \+: '\[TS\[\], TS\[\]\]'"),
        ("m1 + 'a'", r"for \+: '\[TS, str\]'"),
        ("-REPEAT", "for -: 'Word'"),
        ("avg(m1)", "Unrecognized function 'avg'"),
        ("NOPE(m1)", "Unrecognized function 'NOPE'"),
        ("AVG(m1, m2)", "number of arguments for AVG: 2"),
        ("AVG(5)", r"AVG takes TS or TS\[\], not S"),
        ("ABS(AVG(m1))", r"ABS takes TS or TS\[\], not S"),
        ("HOUR([m1])", r"HOUR takes TS, not TS\[\]"),
        ("FIRST(m1)", r"FIRST takes TS\[\], not TS"),
        ("METRICS(m1)", "METRICS takes a string, not TS"),
        ("TIME_SERIES(m1)", "TIME_SERIES takes S, not TS"),
        ("FILL(m1, NEVER)", "FILL fills with"),
        ("SORT(METRICS(), STDDEV, ASC)", "SORT sorts by AVG, MIN, MAX, SUM"),
        ("SORT(METRICS(), AVG, UP)", "SORT sorts by"),
        ("SLICE(METRICS(), 0.5)", "whole numbers"),
        ("IF([m1], 1, 2)", r"IF takes S or TS, not TS\[\]"),
        ("[m1, 5]", r"An array is made of TS and TS\[\], not of S"),
        ("ANOMALY_DETECTION_BAND(m1)", "does not support the function ANOMALY_DETECTION_BAND"),
        ("SELECT AVG(x) FROM y", "does not support Metrics Insights"),
        ("SEARCH('{AWS/EC2}', 'Median', 60)", "'Median' is not a statistic"),
        ("SEARCH('{AWS/EC2}', 'Sum', 0)", "period of a SEARCH"),
        ("SEARCH('{AWS/EC2}', 'Sum', 90)", "period of a SEARCH is 1, 5, 10, 20, 30 or a multiple of 60"),
        ("SEARCH('{AWS/EC2}', 'Sum', 6e20)", "period of a SEARCH"),
        ("SEARCH(m1, 'Sum', 60)", "SEARCH takes"),
        ("(" * 200 + "m1" + ")" * 200, "nested 100 levels deep at most"),
        ("-" * 200 + "m1", "nested 100 levels"),
        ("2^" * 200 + "m1", "nested 100 levels"),
        ("m1" + "+1" * 1024, "2048 characters at most"),
    ],
)
def test_what_is_wrong_with_an_expression_is_said(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compute(expression, m1=METRIC1, m2=METRIC2)


def test_a_sum_may_be_as_long_as_an_expression() -> None:
    assert [422.0 + 30, 422.0 + 20, 422.0, 422.0] == compute("m1" + "+1" * 422, m1=METRIC1)


def test_an_array_that_doubles_again_and_again_is_refused() -> None:
    scope = Scope(Window(0, 60, 60), {"e": (series(1),) * 600_000})
    with pytest.raises(TooMuchWork, match="more than 2,000,000 datapoints"):
        evaluate(parse("[[e, e], [e, e]]"), scope)


def test_a_window_of_too_many_periods_is_refused() -> None:
    with pytest.raises(TooMuchWork, match="3,000,000 datapoints are more than 2,000,000"):
        evaluate(parse("TIME_SERIES(1)"), Scope(Window(0, 3_000_000, 1)))


VALUES = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=4, max_size=4).map(lambda values: series(*values))


@given(VALUES, VALUES, st.sampled_from(["+", "-", "*", "/", "^", "<", "==", "AND", "OR"]))
def test_an_operator_gives_finite_values_at_times_of_its_operands(
    left: TimeSeries, right: TimeSeries, symbol: str
) -> None:
    found = evaluate(parse(f"m1 {symbol} m2"), Scope(Window(START, START + 240, 60), {"m1": left, "m2": right}))
    assert isinstance(found, TimeSeries)
    assert found.points.keys() <= left.points.keys() | right.points.keys()
    assert all(math.isfinite(value) for value in found.points.values())


@given(VALUES, VALUES)
def test_a_sum_of_an_array_is_the_sum_by_the_operator(left: TimeSeries, right: TimeSeries) -> None:
    assert compute("SUM([m1, m2])", m1=left, m2=right) == compute("m1 + m2", m1=left, m2=right)


@given(st.text(alphabet="m12+-*/^()[],<>=&|'\" .ANDORSUMAVGeE", max_size=60))
def test_any_text_is_an_expression_or_refused_as_one(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert compute(text, m1=METRIC1, m2=METRIC2) is not None
