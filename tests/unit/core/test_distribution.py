"""Distributions: what is exact stays exact, and a value is near the middle of its bucket."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core import latency
from moorage.core.latency import BITS_MAX
from moorage.core.metrics.distribution import Distribution, bucket_of, distribution_of, merge, value_of

FINITE = st.floats(min_value=-(2.0**360), max_value=2.0**360)


@given(FINITE)
def test_what_is_said_of_a_value_is_near_it_on_the_side_of_zero(value: float) -> None:
    said = value_of(bucket_of(value))
    assert abs(said) <= abs(value)
    assert abs(said - value) <= max(abs(value) / 128, math.ulp(0.0))


@given(st.integers(-256, 256))
def test_small_whole_numbers_are_exact(value: int) -> None:
    assert value == value_of(bucket_of(value))


@given(st.integers(0, 2**BITS_MAX - 1))
def test_the_middle_of_a_latency_bucket_says_as_much_of_the_latency(us: int) -> None:
    low, high = latency.bounds_of(latency.bucket_of(us))
    assert abs(value_of(bucket_of((low + high + 1) // 2)) - us) <= us / 128


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


def test_a_statistic_set_of_one_value_has_its_bucket() -> None:
    one_value = Distribution(count=3, sum=6.0, minimum=2.0, maximum=2.0)
    assert merge([distribution_of([(2.0, 3), (5.0, 1)])]) == one_value + distribution_of([(5.0, 1)])


def test_there_is_no_distribution_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        distribution_of([])
    with pytest.raises(ValueError, match="at least one"):
        merge([])
