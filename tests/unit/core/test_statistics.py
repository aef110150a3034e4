"""The statistics: worked examples after CloudWatch's definitions, and percentiles beside exact ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core import latency
from moorage.core.metrics.distribution import Distribution, bucket_of, distribution_of
from moorage.core.metrics.statistics import UnknownStatistic, parse_statistic

ONE_TO_TEN = distribution_of([(float(value), 1) for value in range(1, 11)])
STATISTIC_SET = Distribution(count=4, sum=10.0, minimum=1.0, maximum=4.0)

MEASURED = st.floats(1e-6, 1e9) | st.integers(0, 10_000).map(float) | st.floats(-1e9, -1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 10),
        ("Average", 5.5),
        ("Sum", 55),
        ("Minimum", 1),
        ("Maximum", 10),
        ("p0", 1),
        ("p50", 5),
        ("p90", 9),
        ("p90.0000000001", 10),
        ("p100", 10),
        ("tm90", 5),  # 1 to 9
        ("TM(10%:90%)", 5.5),  # 2 to 9
        ("TM(:5)", 3),  # 1 to 5
        ("TM(5:)", 8),  # 6 to 10: the lower bound is not in it
        ("TM(-1:2)", 1.5),
        ("TM(20:30)", None),
        ("IQM", 5.5),  # half of 3, 4 to 7, half of 8
        ("ts90", 45),
        ("TS(2:4)", 7),
        ("TS(20:30)", 0),
        ("tc90", 9),
        ("TC(2:4)", 2),
        ("TC(25%:75%)", 5),
        ("wm90", 5.4),  # 10 counts as 9
        ("WM(10%:90%)", 5.4),  # and the lowest 10 % are 1 as it is
        ("WM(3:8)", 5.5),  # 3 3 3 4 5 6 7 8 8 8, whose upper bound is 8
        ("PR(:4)", 40),
        ("PR(4:)", 60),
        ("PR(1:4)", 30),
    ],
)
def test_a_statistic_of_the_numbers_one_to_ten(name: str, expected: float | None) -> None:
    assert expected == pytest.approx(parse_statistic(name).of(ONE_TO_TEN))


@pytest.mark.parametrize(
    "name",
    [
        *("", "average", "p", "p101", "p1e1", "p-1", "pNaN", "P90", "p٩٠", "p50 ", "tm100.1", "iqm"),
        *("TM", "TM()", "TM(:)", "TM(1)", "TM(1:2", "TM(1:2%)", "TM(90%:10%)", "TM(1:1)", "TM(:101%)", "PR(1%:2%)"),
    ],
)
def test_anything_else_is_no_statistic(name: str) -> None:
    with pytest.raises(UnknownStatistic, match="is not a statistic"):
        parse_statistic(name)


@given(st.lists(st.tuples(MEASURED, st.integers(1, 50)), min_size=1), st.floats(0, 100))
def test_a_percentile_is_within_one_per_cent_of_the_exact_one(
    measured: list[tuple[float, int]], percent: float
) -> None:
    percent = round(percent, 4)
    values = sorted(value for value, times in measured for _ in range(times))
    exact = values[max(0, math.ceil(round(percent * len(values) / 100, 9)) - 1)]
    found = parse_statistic(f"p{percent:.4f}").of(distribution_of(measured))
    assert found == pytest.approx(exact, rel=0.01, abs=1e-300)


@given(st.lists(st.integers(0, 2**39), min_size=1), st.sampled_from([1, 50, 90, 99, 99.9]))
def test_a_percentile_of_latencies_kept_as_a_histogram_is_as_near(us: list[int], percent: float) -> None:
    buckets: dict[int, float] = {}
    for value in us:
        low, high = latency.bounds_of(latency.bucket_of(value))
        bucket = bucket_of((low + high + 1) // 2)
        buckets[bucket] = buckets.get(bucket, 0) + 1
    kept = Distribution(len(us), sum(us), min(us), max(us), buckets)
    exact = sorted(us)[max(0, math.ceil(round(percent * len(us) / 100, 9)) - 1)]
    assert parse_statistic(f"p{percent}").of(kept) == pytest.approx(exact, rel=0.01)


@given(st.lists(st.tuples(MEASURED, st.integers(1, 50)), min_size=1), st.floats(1, 99))
def test_what_is_trimmed_from_above_and_the_rest_come_to_the_whole(
    measured: list[tuple[float, int]], percent: float
) -> None:
    whole, bound = distribution_of(measured), f"{percent:.3f}%"
    lower, upper = parse_statistic(f"TC(:{bound})").of(whole), parse_statistic(f"TC({bound}:)").of(whole)
    assert lower is not None
    assert upper is not None
    assert whole.count == pytest.approx(lower + upper)


@pytest.mark.parametrize("name", ["p50", "tm90", "TC(:3)", "IQM", "PR(:3)", "wm90"])
def test_of_a_statistic_set_nothing_can_be_said_but_the_exact_ones(name: str) -> None:
    assert parse_statistic(name).of(STATISTIC_SET) is None
    assert parse_statistic("Average").of(STATISTIC_SET) == 2.5


@pytest.mark.parametrize(
    "one_value", [Distribution(3, 0.3, 0.1, 0.1), Distribution(1, 0.1, 0.1, 0.1), distribution_of([(0.1, 3)])]
)
def test_of_one_value_everything_can_be_said(one_value: Distribution) -> None:
    assert parse_statistic("p50").of(one_value) == 0.1
    assert parse_statistic("PR(:0.1)").of(one_value) == 100
