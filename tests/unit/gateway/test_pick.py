from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.gateway.pick import Weighted, pick_instance


@dataclass(eq=False)
class Candidate:
    in_flight: int = 0
    ejected: bool = False

    def is_ejected(self, now: float) -> bool:
        return self.ejected


units = st.floats(0, 1, exclude_max=True)
weights = st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5, 100.0]), min_size=1, max_size=6)


def plainly(options: list[tuple[int, float]], u: float) -> int | None:
    """What `Weighted.pick` must equal, said without preparation."""
    total = 0.0
    for _, weight in options:  # in this order and rounding: sum() does it more exactly from Python 3.12 on
        total += weight
    passed = 0.0
    for option, weight in options:
        passed += weight
        if u * total < passed:
            return option
    return None


@given(weights.filter(any), units)
def test_a_prepared_choice_is_the_plain_one(shares: list[float], u: float) -> None:
    options = list(enumerate(shares))
    assert plainly(options, u) == Weighted(options).pick(u)


@given(weights.filter(any))
def test_shares_converge_to_the_weights(shares: list[float]) -> None:
    chooser = Weighted(list(enumerate(shares)))
    drawn = Counter(chooser.pick((index + 0.5) / 10_000) for index in range(10_000))
    for option, share in enumerate(shares):
        assert drawn[option] / 10_000 == pytest.approx(share / sum(shares), abs=0.001)


def test_without_any_weight_all_are_equal() -> None:
    chooser = Weighted([("a", 0.0), ("b", 0.0)])
    assert ("a", "b") == (chooser.pick(0.49), chooser.pick(0.51))
    assert Weighted([]).pick(0.5) is None


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), units, units)
def test_two_different_ones_are_compared(loads: list[int], a: float, b: float) -> None:
    fleet = [Candidate(load) for load in loads]
    chosen = pick_instance(fleet, a, b, now=0)
    assert chosen is not None
    assert sum(other.in_flight >= chosen.in_flight for other in fleet) >= 2


@given(st.integers(0, 100), st.integers(0, 100))
def test_the_busier_of_two_is_never_chosen(a: int, b: int) -> None:
    idle, busy = Candidate(0), Candidate(7)
    assert idle is pick_instance([busy, idle], a / 101, b / 101, now=0)


@given(st.lists(st.booleans(), min_size=1, max_size=6), units, units)
def test_an_ejected_instance_is_chosen_only_if_all_are(ejected: list[bool], a: float, b: float) -> None:
    fleet = [Candidate(ejected=each) for each in ejected]
    chosen = pick_instance(fleet, a, b, now=0)
    assert chosen is not None
    assert all(ejected) == chosen.ejected


@given(st.integers(1, 5), units, units)
def test_what_was_tried_is_not_tried_again(count: int, a: float, b: float) -> None:
    fleet = [Candidate() for _ in range(count)]
    tried: list[Candidate] = []
    while (chosen := pick_instance(fleet, a, b, now=0, tried=tried)) is not None:
        assert chosen not in tried
        tried.append(chosen)
    assert count == len(tried)
