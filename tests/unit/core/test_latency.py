"""The histogram: values near their bucket's middle, merging as counting together, percentiles within 1 %."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.latency import BITS_MAX, ROW, ROWS, Histogram, bounds_of, bucket_of

ERROR_MAX = 1 / 128
VALUES = st.integers(0, 2**BITS_MAX - 1) | st.integers(0, 300) | st.integers(0, 10**6)


def histogram(values: list[int]) -> Histogram:
    return Histogram(Counter(map(bucket_of, values)), sum(values))


@settings(deadline=None)
@given(VALUES)
def test_a_value_lies_in_its_bucket_and_near_its_middle(us: int) -> None:
    low, high = bounds_of(bucket_of(us))
    assert low <= us <= high
    assert abs((low + high) / 2 - us) <= us * ERROR_MAX


def test_buckets_follow_one_another_without_gap_up_to_the_last() -> None:
    assert 0 == bounds_of(0)[0]
    assert all(bounds_of(bucket)[1] + 1 == bounds_of(bucket + 1)[0] for bucket in range(ROWS * ROW - 1))
    assert 2**BITS_MAX - 1 == bounds_of(ROWS * ROW - 1)[1]


@settings(deadline=None)
@given(st.lists(VALUES), st.lists(VALUES))
def test_merging_is_counting_together(left: list[int], right: list[int]) -> None:
    assert histogram(left + right) == histogram(left) + histogram(right)


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1), st.floats(0, 1))
def test_a_percentile_is_within_one_per_cent_of_the_exact_one(values: list[int], share: float) -> None:
    exact = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    assert abs(histogram(values).quantile(share) - exact) <= exact * ERROR_MAX


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1))
def test_count_sum_and_mean_are_exact_and_the_extremes_near(values: list[int]) -> None:
    seen = histogram(values)
    assert (len(values), sum(values), sum(values) / len(values)) == (seen.count, seen.sum_us, seen.mean_us)
    assert abs(seen.min_us - min(values)) <= min(values) * ERROR_MAX
    assert abs(seen.max_us - max(values)) <= max(values) * ERROR_MAX


def test_of_nothing_nothing_is_known() -> None:
    nothing = Histogram()
    assert (0, True, True) == (nothing.count, math.isnan(nothing.mean_us), math.isnan(nothing.quantile(0.5)))
