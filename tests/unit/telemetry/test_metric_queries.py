"""Metric data queries: what is read for them, what they come to, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.core.metrics.queries import InvalidQueries, read_queries
from moorage.telemetry.metrics.base import Measured
from moorage.telemetry.metrics.queries import Result, evaluate
from moorage.testing.memory_metrics import MemoryMetrics

REGION: Final = "us-east-1"
START: Final = 1_700_000_400  # a multiple of 300


def metric(name: str, **dimensions: str) -> MetricKey:
    return MetricKey(REGION, "Shop", name, dimensions_of(dimensions))


def stat(id_: str, key: MetricKey, statistic: str = "Sum", *, period_s: int | None = 60, **members: Any) -> Any:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    wanted = {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}
    of = {"Metric": wanted, "Stat": statistic} | ({} if period_s is None else {"Period": period_s})
    return {"Id": id_, "MetricStat": of, **members}


def expression(id_: str, text: str, **members: Any) -> Any:
    return {"Id": id_, "Expression": text, **members}


SOLD: Final = metric("Sold")
LATENCY_A: Final = metric("Latency", Variant="a")
LATENCY_B: Final = metric("Latency", Variant="b")

MEASURED: Final = (
    Measured(SOLD, START + 5, distribution_of([(2.0, 1)]), "Count"),
    Measured(SOLD, START + 50, distribution_of([(4.0, 1)]), "Count"),
    Measured(SOLD, START + 60, distribution_of([(1.0, 1)]), "Count"),
    Measured(SOLD, START + 60, distribution_of([(9.0, 1)]), "Bytes"),
    Measured(LATENCY_A, START + 70, distribution_of([(10.0, 9), (50.0, 1)])),
    Measured(LATENCY_B, START + 10, distribution_of([(20.0, 1)])),
)


def answer(*members: Any, since: int = 0, until: int = 180, period_s: int | None = None) -> Sequence[Result]:
    async def run() -> Sequence[Result]:
        source = MemoryMetrics()
        await source.put(MEASURED)
        queries = read_queries(members, region=REGION, period_s=period_s)
        return await evaluate(queries, source, since_s=START + since, until_s=START + until)

    return asyncio.run(run())


def values(result: Result) -> Mapping[int, float]:
    return {at_s - START: value for at_s, value in result.points.items()}


def test_metrics_of_several_periods_statistics_and_units_are_read_together() -> None:
    results = answer(
        stat("total", SOLD),
        stat("each", SOLD, "Average", period_s=30),
        stat("p90", LATENCY_A, "p90", period_s=300),
        {**stat("counted", SOLD), "MetricStat": {**stat("", SOLD)["MetricStat"], "Unit": "Count"}},
        stat("nothing", metric("Nothing")),
    )
    assert ["total", "each", "p90", "counted", "nothing"] == [result.id for result in results]
    total, each, p90, counted, nothing = map(values, results)
    assert {0: 6.0, 60: 10.0} == total
    assert {0: 2.0, 30: 4.0, 60: 5.0} == each
    assert {0: 10.0} == p90
    assert {0: 6.0, 60: 1.0} == counted
    assert not nothing


def test_the_period_that_the_start_is_in_counts_and_so_does_the_one_of_the_end() -> None:
    (result,) = answer(stat("m1", SOLD), since=59, until=61)
    assert {0: 6.0, 60: 10.0} == values(result)


def test_expressions_go_by_metrics_and_by_expressions_wherever_they_stand() -> None:
    results = answer(
        expression("rate", "doubled / PERIOD(m1)"),
        expression("doubled", "m1 * 2", ReturnData=False),
        stat("m1", SOLD, ReturnData=False),
        expression("filled", "FILL(m1, 0)"),
    )
    assert [("rate", "rate"), ("filled", "filled")] == [(result.id, result.series.label) for result in results]
    assert {0: 0.2, 60: 20 / 60} == values(results[0])
    assert {0: 6.0, 60: 10.0, 120: 0.0} == values(results[1])


def test_an_array_is_a_result_for_each_of_its_time_series() -> None:
    results = answer(
        stat("a", LATENCY_A, "Maximum", ReturnData=False),
        stat("b", LATENCY_B, "Maximum", ReturnData=False),
        expression("scaled", "METRICS() / 10", Label="in tens"),
    )
    assert [("scaled", "a", {60: 5.0}), ("scaled", "b", {0: 2.0})] == [
        (result.id, result.series.label, values(result)) for result in results
    ]
    assert all(result.is_element and result.label == "in tens" for result in results)


def test_a_search_finds_metrics_and_computes_with_them() -> None:
    results = answer(
        expression("found", "SEARCH('{Shop,Variant} Latency', 'Maximum', 60)"),
        expression("highest", "MAX(found)"),
        expression("none", "SUM(SEARCH('Namespace=Elsewhere', 'Sum', 60))"),
    )
    assert [("found", "a"), ("found", "b"), ("highest", "highest"), ("none", "none")] == [
        (result.id, result.series.label) for result in results
    ]
    assert {0: 20.0, 60: 50.0} == values(results[2])
    assert not results[3].points


def test_a_metric_without_a_period_has_the_one_that_is_usual() -> None:
    (result,) = answer(stat("m1", SOLD, period_s=None), period_s=300)
    assert {0: 16.0} == values(result)


def test_periods_are_rounded_up_to_what_is_kept() -> None:
    members = [stat("m1", SOLD, period_s=60), expression("e1", "SEARCH('Sold', 'Sum', 60)"), expression("e2", "e1")]
    coarse = read_queries(members, region=REGION).coarsened(300)
    assert [300] == [query.period_s for query in coarse.metrics]
    assert [300] == [search.period_s for query in coarse.expressions for search in query.searches]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([stat("M1", SOLD)], "'M1' for parameter MetricDataQueries.member.1.Id is invalid"),
        ([stat("m1", SOLD), stat("m1", SOLD)], "parameter id in MetricDataQueries are not unique"),
        ([{"Id": "m1"}], "Exactly one of MetricDataQueries.member.1.MetricStat"),
        ([stat("m1", SOLD, Expression="m2")], "Exactly one of"),
        ([stat("m1", SOLD, Period=60)], "Period must not be specified beside MetricStat"),
        ([stat("m1", SOLD, AccountId="1")], "does not support MetricDataQueries.member.1.AccountId"),
        ([stat("m1", SOLD, period_s=None)], "MetricStat.Period is required"),
        ([stat("m1", SOLD, period_s=90)], "must be 1, 5, 10, 20, 30 or a multiple of 60"),
        ([stat("m1", SOLD, "Median")], "The value Median for parameter .*Stat is not supported"),
        ([{"Id": "m1", "MetricStat": {"Metric": {}, "Stat": "Sum", "Period": 60}}], "Namespace is required"),
        ([expression("e1", "m1 +")], r"Error in expression 'e1' \[Invalid syntax"),
        ([expression("e1", "m1 + m2")], r"Error in expression 'e1' \[There is no query with the id 'm1'\]"),
        ([expression("e1", "e2"), expression("e2", "e1")], r"Error in expression 'e1' \[Circular references\]"),
        ([expression("e1", "TIME_SERIES(1)"), expression("e2", "AVG(e1)")], r"expression 'e2' \[.*comes to S"),
        ([expression("e1", "TIME_SERIES(1)"), expression("e2", "[e1] * [e1]")], "Unsupported operand"),
    ],
)
def test_what_is_wrong_with_queries_is_said_before_anything_is_read(members: list[Any], message: str) -> None:
    with pytest.raises(InvalidQueries, match=message):
        read_queries(members, region=REGION)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([stat("m1", SOLD), stat("m2", SOLD)], "Exactly one element"),
        ([stat("m1", SOLD, ReturnData=False), expression("e1", "[m1]")], r"comes to TS\[\]"),
        ([expression("e1", "SUM(SEARCH('Sold', 'Sum', 60))")], "SEARCH is not allowed here"),
    ],
)
def test_queries_for_one_time_series_are_checked_for_it(members: list[Any], message: str) -> None:
    with pytest.raises(InvalidQueries, match=message):
        read_queries(members, region=REGION).check_single_series()


def test_a_search_leaves_out_what_is_too_much_and_says_so_of_all_that_goes_by_it() -> None:
    async def run() -> Sequence[Result]:
        source = MemoryMetrics()
        keys = [metric("Sold", Variant=str(number)) for number in range(501)]
        await source.put([Measured(key, START, distribution_of([(1.0, 1)])) for key in keys])
        members = [
            expression("sum", "SUM(found)"),
            expression("found", "SEARCH('Sold', 'Sum', 60)", ReturnData=False),
            expression("few", "SUM(SEARCH('Variant=7', 'Sum', 60))"),
        ]
        queries = read_queries(members, region=REGION)
        return await evaluate(queries, source, since_s=START, until_s=START + 60)

    assert [("sum", {0: 500.0}, True), ("few", {0: 1.0}, False)] == [
        (result.id, values(result), result.is_partial) for result in asyncio.run(run())
    ]


def test_queries_of_too_much_are_refused() -> None:
    with pytest.raises(InvalidQueries, match="more than 2,000,000 datapoints"):
        answer(stat("m1", SOLD, period_s=1), until=2_000_001)
    with pytest.raises(InvalidQueries, match=r"Error in expression 'e1' \[3,000,000 datapoints are more than"):
        answer(expression("e1", "TIME_SERIES(1)", Period=1), until=3_000_000)
