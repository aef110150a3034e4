"""Distributions: what is exact stays exact, and a value is near the middle of its bucket."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.metrics.distribution import Distribution, bounds_of, bucket_of, distribution_of, merge

FINITE = st.floats(min_value=-(2.0**360), max_value=2.0**360)


@given(FINITE)
def test_a_value_is_near_the_middle_of_its_bucket(value: float) -> None:
    low, high = bounds_of(bucket_of(value))
    assert low <= value <= high
    assert abs((low + high) / 2 - value) <= max(abs(value) / 127, math.ulp(0.0))


@given(FINITE, FINITE)
def test_buckets_are_in_the_order_of_their_values(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert bucket_of(low) <= bucket_of(high)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(1, 9)), min_size=2))
def test_parts_come_to_the_whole(values: list[tuple[float, float]]) -> None:
    whole = distribution_of(values)
    merged = merge([distribution_of(values[:1]), distribution_of(values[1:])])
    assert (whole.count, whole.minimum, whole.maximum) == (merged.count, merged.minimum, merged.maximum)
    assert whole.buckets == merged.buckets
    assert whole.sum == pytest.approx(merged.sum, abs=1e-3)


def test_a_statistic_set_takes_the_buckets_away() -> None:
    put = Distribution(count=2, sum=3.0, minimum=1.0, maximum=2.0)
    both = put + distribution_of([(5.0, 1)])
    assert Distribution(count=3, sum=8.0, minimum=1.0, maximum=5.0) == both


def test_there_is_no_distribution_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        distribution_of([])
    with pytest.raises(ValueError, match="at least one"):
        merge([])
