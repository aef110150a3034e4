"""What figures there are, and what they come to."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from moorage.core.capacity import Resources
from moorage.core.figures import EDGES_US, Figure, Kind, State, cumulative, figures
from moorage.core.latency import Histogram, bucket_of
from moorage.core.model import InstanceState
from moorage.core.scaling.model import TargetKey
from moorage.core.traffic import Outcome, SeriesKey, Tally
from moorage.testing.builders import make_endpoint, make_variant, observe, specs_of

ONE = SeriesKey("us-east-1", "iris", "config-1", "AllTraffic", "i-1")
TWO = ONE._replace(instance="i-2")
OVER = SeriesKey("us-east-1", "iris", config="")


def tally(successes: int, refused: int = 0, **more: int) -> Tally:
    counts = {Outcome.SUCCESS: successes, Outcome.REFUSED: refused}
    return Tally(tuple(counts.get(outcome, 0) for outcome in Outcome), **more)


def values(found: tuple[Figure, ...], name: str) -> dict[tuple[str, ...], object]:
    (figure,) = (figure for figure in found if figure.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in figure.samples}


def test_the_traffic_of_a_variant_is_the_sum_over_its_instances() -> None:
    found = figures(State(totals={ONE: tally(3, refused=1), TWO: tally(4)}))
    labels = ("us-east-1", "iris", "config-1", "AllTraffic")
    assert {(*labels, "success"): 7, (*labels, "refused"): 1} == values(found, "moorage_invocations")


def test_instances_are_told_apart_on_demand() -> None:
    found = figures(State(totals={ONE: tally(3), TWO: tally(4)}), by_instance=True)
    labels = ("us-east-1", "iris", "config-1", "AllTraffic")
    assert {(*labels, "i-1", "success"): 3, (*labels, "i-2", "success"): 4} == values(found, "moorage_invocations")


def test_what_is_left_of_variants_that_are_no_more_is_left_out() -> None:
    assert {} == values(figures(State(totals={OVER: tally(9)})), "moorage_invocations")


def test_instances_are_counted_by_variant_and_state() -> None:
    endpoint = make_endpoint(make_variant(count=2))
    first, second = specs_of(endpoint, endpoint.target)
    gone = specs_of(make_endpoint(uid="u0"), endpoint.target)[0]
    instances = [observe(first, InstanceState.READY), observe(second, InstanceState.STARTING)]
    state = State(endpoints=[endpoint], instances=[*instances, observe(gone, InstanceState.READY)])
    key = ("us-east-1", "iris")
    assert {(*key, "AllTraffic", "ready"): 1, (*key, "AllTraffic", "starting"): 1, (*key, "", "ready"): 1} == values(
        figures(state), "moorage_instances"
    )
    assert {(*key, "config-1", "Creating"): 1} == values(figures(state), "moorage_endpoint_status")


def test_what_a_variant_is_to_have_is_what_it_serves_with() -> None:
    created = make_endpoint(make_variant(count=3))
    served = replace(created, serving=created.target)
    state = State(endpoints=[created, served])
    assert {("us-east-1", "iris", "AllTraffic"): 3} == values(figures(state), "moorage_desired_instances")


def test_what_happened_is_counted() -> None:
    target = TargetKey("us-east-1", "endpoint/iris/variant/a")
    found = figures(State(scalings={(target.region, target.name): 3}, sleeps={("us-east-1", "iris"): 2}))
    labels = ("us-east-1", "endpoint/iris/variant/a", "sagemaker:variant:DesiredInstanceCount")
    assert {labels: 3} == values(found, "moorage_scaling_activities")
    assert {("us-east-1", "iris"): 2} == values(found, "moorage_sleep_changes")


def test_capacity_is_told_by_resource() -> None:
    found = figures(State(offered=Resources(64, 1 << 30, 2)))
    assert {("vcpus",): 64, ("memory_bytes",): 1 << 30, ("gpus",): 2} == values(found, "moorage_capacity_offered")


@given(st.lists(st.integers(0, (1 << 30) - 1), max_size=50))
def test_buckets_hold_exactly_what_is_below_their_edges(latencies_us: list[int]) -> None:
    counts: dict[int, int] = {}
    for latency in latencies_us:
        counts[bucket_of(latency)] = counts.get(bucket_of(latency), 0) + 1
    expected = [sum(latency < edge for latency in latencies_us) for edge in EDGES_US]
    assert expected == cumulative(Histogram(counts, sum(latencies_us)))


def test_every_name_says_what_it_is() -> None:
    for figure in figures(State()):
        assert figure.name.startswith("moorage_")
        assert figure.help.endswith(".")
        assert figure.kind is not Kind.HISTOGRAM or figure.name.endswith("_seconds")
