"""What CloudWatch's metrics say of what was counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.core.latency import Histogram, bucket_of
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.statistics import parse_statistic
from moorage.core.metrics.traffic import TRAFFIC_METRICS, Scope, scope_of, scopes_of
from moorage.core.model import EndpointKey
from moorage.core.traffic import SHARE, SeriesKey, Tally

SHOP = EndpointKey("us-east-1", "Shop")
TALLY = Tally((5, 4, 3, 2, 1, 6, 9), per_instance_shares=10 * SHARE)
"""Thirty invocations: 5 successes, 4 client errors, 3 server errors, 2 others, 1 silence, 6 refused, 9 abandoned."""


def said(name: str, tally: Tally, statistic: str) -> float | None:
    values = TRAFFIC_METRICS[name].of(tally)
    return None if values is None else parse_statistic(statistic).of(values)


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("Invocations", 30.0),
        ("InvocationsPerInstance", 10.0),
        ("Invocation4XXErrors", 4.0),
        ("Invocation5XXErrors", 3.0),
        ("InvocationModelErrors", 10.0),
    ],
)
def test_counts_are_exact_and_of_every_invocation(name: str, total: float) -> None:
    assert (total, 30.0) == (said(name, TALLY, "Sum"), said(name, TALLY, "SampleCount"))
    assert total / 30.0 == pytest.approx(said(name, TALLY, "Average") or 0.0)


def test_an_error_is_a_one_among_noughts() -> None:
    assert [0.0, 1.0, 0.0, 1.0] == [
        said("Invocation4XXErrors", TALLY, each) for each in ("Minimum", "Maximum", "p50", "p99")
    ]
    only_errors = Tally((0, 4, 0, 0, 0, 0, 0))
    assert [1.0, 1.0, 1.0] == [said("Invocation4XXErrors", only_errors, each) for each in ("Minimum", "p1", "Average")]
    assert [0.0, 0.0, 0.0] == [said("Invocation5XXErrors", only_errors, each) for each in ("Maximum", "p99", "Sum")]


@pytest.mark.parametrize("name", sorted(TRAFFIC_METRICS))
def test_where_nothing_was_counted_there_is_no_value(name: str) -> None:
    assert TRAFFIC_METRICS[name].of(Tally(in_flight=3, bytes_in=7)) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200))
def test_latencies_are_within_one_per_cent_and_their_sum_exact(latencies_us: list[int]) -> None:
    counts: dict[int, int] = {}
    for us in latencies_us:
        counts[bucket_of(us)] = counts.get(bucket_of(us), 0) + 1
    tally = Tally(model=Histogram(counts, sum(latencies_us)))
    assert (sum(latencies_us), len(latencies_us)) == (
        said("ModelLatency", tally, "Sum"),
        said("ModelLatency", tally, "SampleCount"),
    )
    for statistic, exact in (("Minimum", min(latencies_us)), ("Maximum", max(latencies_us))):
        assert exact == pytest.approx(said("ModelLatency", tally, statistic) or 0.0, rel=0.01)
    assert said("OverheadLatency", tally, "Sum") is None


def test_the_latency_of_one_invocation_is_exact() -> None:
    tally = Tally(model=Histogram({bucket_of(123_456): 1}, 123_456))
    assert [123_456.0] * 3 == [said("ModelLatency", tally, each) for each in ("Minimum", "Maximum", "p50")]


def test_a_series_counts_for_its_endpoint_its_variant_and_its_config() -> None:
    series = SeriesKey("us-east-1", "Shop", "config-1", "blue", "i-1")
    assert [Scope(SHOP), Scope(SHOP, "blue"), Scope(SHOP, "blue", "config-1")] == list(scopes_of(series))
    assert all(scope.includes(series) for scope in scopes_of(series))
    assert not Scope(SHOP, "green").includes(series)
    assert not Scope(SHOP, "blue", "config-2").includes(series)


def test_what_was_refused_before_a_variant_was_chosen_counts_for_the_endpoint_alone() -> None:
    assert [Scope(SHOP)] == list(scopes_of(SeriesKey("us-east-1", "Shop", "config-1")))


@pytest.mark.parametrize("scope", [Scope(SHOP), Scope(SHOP, "blue"), Scope(SHOP, "blue", "config-1")])
def test_a_metric_names_its_scope(scope: Scope) -> None:
    assert all(scope == scope_of(scope.metric(name)) for name in TRAFFIC_METRICS)


@pytest.mark.parametrize(
    "key",
    [
        MetricKey("us-east-1", "AWS/Other", "Invocations", (("EndpointName", "Shop"),)),
        MetricKey("us-east-1", "AWS/SageMaker", "Sales", (("EndpointName", "Shop"),)),
        MetricKey("us-east-1", "AWS/SageMaker", "Invocations"),
        MetricKey("us-east-1", "AWS/SageMaker", "Invocations", (("VariantName", "blue"),)),
        MetricKey("us-east-1", "AWS/SageMaker", "Invocations", (("EndpointConfigName", "c"), ("EndpointName", "Shop"))),
        MetricKey("us-east-1", "AWS/SageMaker", "Invocations", (("EndpointName", "Shop"), ("Other", "x"))),
    ],
)
def test_other_metrics_are_not_ours(key: MetricKey) -> None:
    assert scope_of(key) is None
