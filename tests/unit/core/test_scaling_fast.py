"""The signal of one second: what is evidence, what is noise, and what is not known."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.scaling import fast
from moorage.core.scaling.demand import MINUTE_S, DemandWindow
from moorage.core.scaling.model import Memory, ScaleOut
from moorage.core.scaling.policies import TargetTracking, tracking_of
from moorage.core.scaling.wish import Wish
from moorage.testing.builders import T0

NOTHING = Memory()


def tracking(target: float, **members: object) -> TargetTracking:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return tracking_of({"TargetValue": target, "PredefinedMetricSpecification": metric} | members)


def wish(policy: TargetTracking, values: list[float], *, current: int, memory: Memory = NOTHING) -> Wish | None:
    window = DemandWindow(fast.known_for_s(policy))
    for second, value in enumerate(values):
        window.add(second, value)
    demand = window.demand()
    assert demand is not None
    return fast.decide_by_count(policy, demand, memory, current=current, now=T0)


def first_wish_for_more(policy: TargetTracking, values: list[float], *, current: int) -> tuple[int, int] | None:
    """After how many seconds more is wanted, and how much."""
    for seconds in range(1, len(values) + 1):
        found = wish(policy, values[:seconds], current=current)
        if found is not None and found.capacity > current:
            return seconds, found.capacity
    return None


def test_ten_times_the_target_is_seen_in_two_seconds() -> None:
    assert (2, 10) == first_wish_for_more(tracking(6000), [1000.0] * 5, current=1)


def test_two_hundred_a_minute_at_a_target_of_seventy_are_three_instances() -> None:
    load = [4.0, 3.0, 3.0] * 10

    found = first_wish_for_more(tracking(70), load, current=1)

    assert found is not None
    assert (True, 3) == (found[0] <= 20, found[1])


def test_a_little_above_the_target_is_seen_in_three_minutes() -> None:
    load = [2.0, 1.0] * 120

    assert (180, 2) == first_wish_for_more(tracking(70), load, current=1)


def test_exactly_the_target_is_not_above_it() -> None:
    assert None is first_wish_for_more(tracking(60), [1.0] * 300, current=1)


def test_a_burst_that_is_over_is_no_demand() -> None:
    assert None is first_wish_for_more(tracking(600), [200.0] + [0.0] * 30, current=1)


@pytest.mark.parametrize("target", [60, 600, 6000])
@pytest.mark.parametrize("seed", range(5))
def test_random_arrivals_at_the_target_do_not_make_capacity_go_out_and_in(target: int, seed: int) -> None:
    """Two hours of arrivals as of many independent callers: some minutes are busier, which may cost one instance."""
    draw = random.Random(seed)
    policy, window, capacities = tracking(target), DemandWindow(300), [1]
    for second in range(7200):
        window.add(second, _poisson(draw, target / 60))
        demand = window.demand()
        assert demand is not None
        found = fast.decide_by_count(policy, demand, NOTHING, current=capacities[-1], now=T0)
        if found is not None and max(1, found.capacity) != capacities[-1]:
            capacities.append(max(1, found.capacity))

    assert capacities in ([1], [1, 2])


def test_one_busy_second_is_not_sustained() -> None:
    assert None is first_wish_for_more(tracking(600), [0.0] * 30 + [200.0], current=1)


def test_a_third_of_what_an_instance_is_to_get_is_evidence_and_less_is_not() -> None:
    assert (14, 2) == first_wish_for_more(tracking(6000), [150.0] * 30, current=1)


def test_one_minute_of_three_that_is_not_above_the_target_keeps_the_capacity() -> None:
    above = [2.0, 1.0, 1.0, 1.0] * 15

    assert None is first_wish_for_more(tracking(70), [*above, *[1.0] * 60, *above], current=1)
    assert (180, 2) == first_wish_for_more(tracking(70), above * 3, current=1)


def test_how_much_is_wanted_is_less_than_what_may_be_chance() -> None:
    assert (2, 10) == first_wish_for_more(tracking(6000), [1003.0] * 5, current=1)


def test_how_much_is_wanted_is_what_the_latter_part_of_the_evidence_says() -> None:
    assert 9 == _capacity(wish(tracking(600), [20.0, 90.0, 90.0], current=1))


@given(st.floats(0.5, 10_000), st.lists(st.integers(0, 3000), min_size=1, max_size=70), st.integers(0, 40))
def test_evidence_for_more_always_leads_to_more(target: float, load: list[int], current: int) -> None:
    found = wish(tracking(target), [float(value) for value in load], current=current)

    assert found is None or found.capacity > current or len(load) >= MINUTE_S


def test_a_busy_minute_that_began_before_the_window_still_keeps_the_capacity() -> None:
    assert 3 == _capacity(wish(tracking(60), [2.9] * 60 + [0.0] * 270, current=3))


def test_nothing_is_taken_away_before_demand_is_known_for_a_cooldown() -> None:
    assert None is wish(tracking(60), [0.0] * 299, current=3)
    assert 0 == _capacity(wish(tracking(60), [0.0] * 300, current=3))


def test_a_gap_ends_what_is_known() -> None:
    window = DemandWindow(300)
    for second in (*range(300), *range(301, 400)):
        window.add(second, 0.0)
    demand = window.demand()

    assert demand is not None
    assert 99 == demand.known_s


def test_a_minute_of_which_only_a_part_is_known_is_none() -> None:
    window = DemandWindow(300)
    for second in range(30, 180):
        window.add(second, 1.0)
    demand = window.demand()

    assert demand is not None
    assert (60.0, 60.0) == demand.minutes


def test_a_second_that_came_already_is_left_out() -> None:
    window = DemandWindow(300)
    for second in (0, 1, 2, 2, 1):
        window.add(second, 1.0)
    demand = window.demand()

    assert demand is not None
    assert (1.0, 2.0, 3.0) == demand.sums


def test_scale_in_leaves_what_the_busiest_minute_needed() -> None:
    low = [1.0] * 300
    low[100:160] = [2.4] * 60

    assert 3 == _capacity(wish(tracking(60), low, current=5))


def test_near_the_target_nothing_changes() -> None:
    assert 3 == _capacity(wish(tracking(60), [2.8] * 300, current=3))


def test_cooldown_and_disabled_scale_in_are_kept_to() -> None:
    recent = Memory(scale_in_at=T0 - timedelta(seconds=299))

    assert 3 == _capacity(wish(tracking(60), [0.0] * 400, current=3, memory=recent))
    assert 3 == _capacity(wish(tracking(60, DisableScaleIn=True), [0.0] * 400, current=3))


def test_what_two_seconds_have_led_to_is_not_taken_back_because_of_the_minute_around_them() -> None:
    load = [0.0] * 300 + [25.0] * 3
    just = Memory(scale_out=ScaleOut(T0, base=1))

    assert 40 <= _capacity(wish(tracking(30), load, current=1))
    assert 60 == _capacity(wish(tracking(30), load, current=60, memory=just))


def test_requests_at_once_are_levels_not_counts() -> None:
    policy = tracking_of(
        {
            "TargetValue": 4.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
            },
        }
    )
    window = DemandWindow(300)
    for second in range(300):
        window.add(second, 1.0)
    quiet = window.demand()
    window.add(300, 20.0)
    for_one_second = window.demand()
    for second in (301, 302):
        window.add(second, 20.0)
    busy = window.demand()
    window.add(303, 1.0)
    over = window.demand()
    assert quiet is not None
    assert for_one_second is not None
    assert busy is not None
    assert over is not None

    for demand in (for_one_second, over):
        assert _capacity(fast.decide_by_level(policy, demand, NOTHING, current=3, now=T0)) < 3
    assert 1 == _capacity(fast.decide_by_level(policy, quiet, NOTHING, current=3, now=T0))
    assert 5 == _capacity(fast.decide_by_level(policy, busy, NOTHING, current=3, now=T0))


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=400),
    st.integers(60, 200),
)
def test_a_window_knows_what_looking_at_all_of_it_would_tell(values: list[int], within_s: int) -> None:
    window = DemandWindow(within_s)
    for second, value in enumerate(values):
        window.add(second, value)
    demand = window.demand()
    minutes = {end: sum(values[max(0, end - MINUTE_S) : end]) for end in range(1, len(values) + 1)}
    last = len(values)

    assert demand is not None
    assert [sum(values[-n:]) for n in range(1, min(MINUTE_S, last) + 1)] == list(demand.sums)
    assert demand.peak == max(total for end, total in minutes.items() if end > last - within_s)
    assert demand.lasting_peak == max(total for end, total in minutes.items() if end >= last - within_s + MINUTE_S)
    assert min(last, within_s) == demand.known_s


def _capacity(found: Wish | None) -> int:
    assert found is not None
    return found.capacity


def _poisson(draw: random.Random, mean: float) -> int:
    """Arrivals in a second, from the times between them."""
    count, at = 0, draw.expovariate(mean)
    while at < 1.0:
        count, at = count + 1, at + draw.expovariate(mean)
    return count
