"""The tally: CloudWatch's metrics in terms of outcomes, and the two ways of adding."""

from __future__ import annotations

from dataclasses import replace

from moorage.core.latency import Histogram
from moorage.core.traffic import SHARE, Outcome, Tally

ONE_OF_EACH = Tally(outcomes=(1,) * len(Outcome))
SOME = Tally((5, 4, 3, 2, 1, 0, 9), 7, Histogram({1: 2}, 2), Histogram({3: 1}, 3), 10, 20, 30)


def test_every_outcome_is_an_invocation_and_only_the_models_faults_are_model_errors() -> None:
    assert 7 == ONE_OF_EACH.invocations
    assert 4 == ONE_OF_EACH.model_errors
    assert 0 == replace(ONE_OF_EACH, outcomes=(1, 0, 0, 0, 0, 1, 1)).model_errors


def test_one_nth_an_invocation_adds_up_to_whole_ones() -> None:
    for instances in range(1, 19):
        share = Tally(per_instance_shares=SHARE // instances)
        assert 1.0 == sum([share] * instances, start=Tally()).per_instance


def test_side_by_side_everything_adds_up() -> None:
    both = Tally((10, 8, 6, 4, 2, 0, 18), 14, Histogram({1: 4}, 4), Histogram({3: 2}, 6), 20, 40, 60)
    assert both == SOME + SOME
    assert SOME == SOME + Tally()


def test_one_after_the_other_the_most_in_flight_is_kept() -> None:
    assert replace(SOME + SOME, in_flight=31) == SOME.then(replace(SOME, in_flight=31))
