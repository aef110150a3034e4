"""What several policies come to: bounds and agreement, whatever they wish."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moorage.core.scaling.activity import NotScaled, NotScaledCode
from moorage.core.scaling.combine import Verdict, combine
from moorage.core.scaling.model import Bounds, Suspension
from moorage.core.scaling.wish import Wish

FREE = Suspension()


def combined(*capacities: int | None, current: int) -> Verdict | None:
    wishes = {
        f"p{number}": None if capacity is None else Wish(capacity, "so it is")
        for number, capacity in enumerate(capacities)
    }
    return combine(wishes, Bounds(1, 10), FREE, current=current)


def test_any_policy_may_scale_out_and_the_largest_wins() -> None:
    assert Verdict("p1", "so it is", 7) == combined(2, 7, 5, None, current=3)


def test_what_was_reckoned_from_is_told_of_what_wins() -> None:
    wishes = {"few": Wish(5, "so it is", 1), "many": Wish(7, "so it is", 2)}

    assert Verdict("many", "so it is", 7, base=2) == combine(wishes, Bounds(1, 10), FREE, current=3)


def test_in_only_if_all_agree() -> None:
    assert Verdict("p1", "so it is", 2) == combined(1, 2, current=3)
    assert None is combined(1, 3, current=3)
    assert None is combined(1, None, current=3)
    assert None is combined(None, current=3)
    assert None is combined(current=3)


def test_bounds_end_where_a_wish_goes_on() -> None:
    assert Verdict("p0", "so it is", 10) == combined(99, current=3)
    at_maximum = NotScaled(NotScaledCode.AT_MAXIMUM, maximum=10, current=10)
    assert Verdict("p0", "so it is", not_scaled=at_maximum) == combined(99, current=10)
    at_minimum = NotScaled(NotScaledCode.AT_MINIMUM, minimum=1, current=1)
    assert Verdict("p0", "so it is", not_scaled=at_minimum) == combined(0, current=1)


CAPACITIES = st.integers(0, 40)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.none() | CAPACITIES),
    st.tuples(CAPACITIES, CAPACITIES),
    CAPACITIES,
    st.booleans(),
    st.booleans(),
)
def test_never_outside_the_bounds_and_never_against_a_suspension(
    capacities: dict[str, int | None], ends: tuple[int, int], current: int, no_in: bool, no_out: bool
) -> None:
    bounds = Bounds(min(ends), max(ends))
    wishes = {name: None if capacity is None else Wish(capacity, "") for name, capacity in capacities.items()}
    verdict = combine(wishes, bounds, Suspension(scale_in=no_in, scale_out=no_out), current=current)
    if verdict is None or verdict.capacity is None:
        return

    assert bounds.minimum <= verdict.capacity <= bounds.maximum
    assert not (no_out and verdict.capacity > current)
    assert not (no_in and verdict.capacity < current)
    if verdict.capacity < current:
        assert all(capacity is not None and capacity < current for capacity in capacities.values())
