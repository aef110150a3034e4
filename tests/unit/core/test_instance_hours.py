"""Instance-hours and what they come to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.usage import Usage, hours_without, sum_up
from moorage.testing.builders import T0


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def usage(began: float, until: float, *, variant: str = "AllTraffic", kind: str = "ml.m5.large") -> Usage:
    return Usage("us-east-1", "iris", variant, kind, "i-1", at(began), at(until), is_open=False)


def test_instances_side_by_side_are_counted_each() -> None:
    (cost,) = sum_up([usage(0, 30), usage(0, 30), usage(30, 60)], {"ml.m5.large": 0.1}, since=at(0), until=at(60))
    assert (1.5, 0.1, pytest.approx(0.15)) == (cost.hours, cost.price_per_hour, cost.amount)


def test_only_what_lies_within_the_time_counts() -> None:
    (cost,) = sum_up([usage(-60, 30), usage(45, 600)], {}, since=at(0), until=at(60))
    assert 0.75 == cost.hours


def test_a_type_without_a_price_has_hours_and_no_cost() -> None:
    (cost,) = sum_up([usage(0, 60)], {"ml.c5.xlarge": 1.0}, since=at(0), until=at(60))
    assert (1.0, None, None) == (cost.hours, cost.price_per_hour, cost.amount)


def test_variants_and_types_are_summed_up_apart() -> None:
    usages = [usage(0, 60, variant="b"), usage(0, 60, variant="a", kind="ml.t2.medium"), usage(0, 60, variant="a")]
    costs = sum_up(usages, {}, since=at(0), until=at(60))
    assert [("a", "ml.m5.large"), ("a", "ml.t2.medium"), ("b", "ml.m5.large")] == [cost.key[1:] for cost in costs]


@pytest.mark.parametrize(
    ("usages", "hours"),
    [
        ([], 1.0),
        ([usage(0, 60)], 0.0),
        ([usage(15, 30)], 0.75),
        ([usage(-30, 15), usage(45, 90)], 0.5),
        ([usage(0, 30), usage(10, 20), usage(25, 45)], 0.25),
        ([usage(90, 120)], 1.0),
        ([usage(-90, -60)], 1.0),
    ],
)
def test_the_time_without_any(usages: list[Usage], hours: float) -> None:
    assert hours == hours_without(usages, since=at(0), until=at(60))


@given(st.lists(st.tuples(st.integers(-100, 200), st.integers(0, 100))))
def test_every_minute_is_with_or_without(spans: list[tuple[int, int]]) -> None:
    usages = [usage(began, began + lasts) for began, lasts in spans]
    without = sum(not any(began <= minute < began + lasts for began, lasts in spans) for minute in range(60))
    assert without == round(60 * hours_without(usages, since=at(0), until=at(60)))
