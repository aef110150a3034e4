from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.model import RoutingStrategy
from moorage.gateway.health import Health
from moorage.gateway.pick import Draw, Weighted, any_of, less_busy_of_two, make_pick, pick_other

NOW = 100.0


@dataclass(eq=False)
class Candidate:
    in_flight: int = 0
    slots: int = 10
    health: Health = field(default_factory=Health)

    @property
    def is_free(self) -> bool:
        return self.in_flight < self.slots

    @property
    def is_in(self) -> bool:
        return self.health.out_until <= NOW


def drawing(*numbers: float) -> Draw:
    """Draws these, over and over."""
    index = 0

    def draw() -> float:
        nonlocal index
        index += 1
        return numbers[(index - 1) % len(numbers)]

    return draw


def ejected(candidate: Candidate) -> Candidate:
    candidate.health.record_failure(now=NOW)
    return candidate


units = st.floats(0, 1, exclude_max=True)
draws = st.lists(units, min_size=1, max_size=6).map(lambda numbers: drawing(*numbers))
weights = st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5, 100.0]), min_size=1, max_size=6)
candidates = st.builds(Candidate, st.integers(0, 5), st.integers(1, 5))
fleets = st.lists(st.one_of(candidates, candidates.map(ejected)), max_size=8)
strategies = st.sampled_from(RoutingStrategy)


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


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), draws)
def test_two_different_ones_are_compared(loads: list[int], draw: Draw) -> None:
    fleet = [Candidate(load) for load in loads]
    chosen = less_busy_of_two(fleet, draw)
    assert sum(other.in_flight >= chosen.in_flight for other in fleet) >= 2


@given(draws)
def test_the_busier_of_two_is_never_chosen(draw: Draw) -> None:
    idle, busy = Candidate(0), Candidate(7)
    assert idle is less_busy_of_two([busy, idle], draw)


def test_random_looks_at_nothing() -> None:
    fleet = [Candidate(7), Candidate(0), Candidate(3), Candidate(0)]
    drawn = Counter(fleet.index(any_of(fleet, drawing((index + 0.5) / 1000))) for index in range(1000))
    assert {0: 250, 1: 250, 2: 250, 3: 250} == drawn


@given(strategies, fleets, draws)
def test_a_pick_is_free_in_rotation_and_there_if_any_is(
    strategy: RoutingStrategy, fleet: list[Candidate], draw: Draw
) -> None:
    chosen = make_pick(strategy, fleet, draw)(NOW)
    asked = [each for each in fleet if each.is_in] or fleet
    free = [each for each in asked if each.is_free]
    assert chosen in free if free else chosen is None


@given(strategies)
def test_the_strategy_of_the_route_is_the_one_used(strategy: RoutingStrategy) -> None:
    busy, idle = Candidate(3), Candidate(0)
    chosen = make_pick(strategy, [busy, idle], drawing(0.1))(NOW)
    assert (busy if strategy is RoutingStrategy.RANDOM else idle) is chosen


@given(st.lists(candidates, min_size=1, max_size=5), draws)
def test_what_was_tried_is_not_tried_again(fleet: list[Candidate], draw: Draw) -> None:
    tried: list[Candidate] = []
    while (chosen := pick_other(fleet, tried, draw=draw, now=NOW)) is not None:
        assert chosen not in tried
        tried.append(chosen)
    assert _free(fleet) == len(tried)


def _free(fleet: Iterable[Candidate]) -> int:
    return sum(each.is_free for each in fleet)
