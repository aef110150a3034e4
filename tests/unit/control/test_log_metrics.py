"""Metric filters, from the API to what is put into the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from moorage.aws.errors import ServiceError
from moorage.control.log_metrics import LogMetrics
from moorage.telemetry.metrics.base import Measured, MetricsUnavailable
from moorage.testing.logs_world import GROUP, START_MS, LogsWorld, NoWaiting

START_S = START_MS // 1000


class Sink:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.is_available = True
        self.chokes_on: str | None = None
        self.has_choked, self.has_taken = asyncio.Event(), asyncio.Event()
        self.put_so_far: list[Measured] = []

    async def put(self, measured: Sequence[Measured]) -> None:
        if not self.is_available:
            raise MetricsUnavailable("not now")
        if self.chokes_on in [each.key.name for each in measured]:
            self.has_choked.set()
            raise ValueError("a bug")
        self.put_so_far += measured
        self.has_taken.set()

    def taken(self) -> list[tuple[str, float, float, float]]:
        """Name, second, count and sum of what has been put since the last time."""
        taken = [(each.key.name, each.at_s - START_S, each.values.count, each.values.sum) for each in self.put_so_far]
        self.put_so_far = []
        return sorted(taken)


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    world = LogsWorld(tmp_path)
    world.write("A/i-1", (0, "ERROR before"))
    return world


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def metrics(world: LogsWorld, sink: Sink) -> LogMetrics:
    world.metrics = make(world, sink)
    return world.metrics


def make(world: LogsWorld, sink: Sink) -> LogMetrics:
    return LogMetrics(world.places, world.store, sink, world.clock, progress_path=world.root / "measured.json")


async def put_filter(
    world: LogsWorld, name: str = "errors", *, pattern: str = "ERROR", group: str = GROUP, **more: Any
) -> None:
    transformation = {"metricNamespace": "App", "metricName": name, "metricValue": "1", **more}
    await world.call(
        "PutMetricFilter",
        logGroupName=group,
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[transformation],
    )


async def test_lines_are_counted_at_their_time(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    await put_filter(world)
    world.write("A/i-1", (1000, "ERROR"), (1999, "ERROR"), (2000, "INFO"), (2001, "ERROR"))
    world.write("A/i-2", (1500, "ERROR of another"))
    await metrics.look()
    assert [("errors", 1, 3, 3), ("errors", 2, 1, 1)] == sink.taken()
    await metrics.look()
    assert [] == sink.taken()


async def test_values_and_several_filters(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    await put_filter(world, "latency", pattern="{ $.ms > 0 }", metricValue="$.ms", unit="Milliseconds")
    await put_filter(world, "all", pattern="", metricValue="2")
    world.write("A/i-1", (1000, '{"ms": 7}'), (1001, '{"ms": 3}'), (1002, "no JSON"))
    await metrics.look()
    assert {"latency": "Milliseconds", "all": "None"} == {each.key.name: each.unit for each in sink.put_so_far}
    assert [("all", 1, 3, 6), ("latency", 1, 2, 10)] == sink.taken()


async def test_what_was_put_by_oneself_counts_too(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    await world.call("CreateLogGroup", logGroupName="/own")
    await world.call("CreateLogStream", logGroupName="/own", logStreamName="s")
    await put_filter(world, group="/own")
    events = [{"timestamp": START_MS + 5000, "message": "ERROR"}]
    await world.call("PutLogEvents", logGroupName="/own", logStreamName="s", logEvents=events)
    await metrics.look()
    assert [("errors", 5, 1, 1)] == sink.taken()


async def test_a_filter_that_is_changed_or_deleted(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    await put_filter(world)
    world.write("A/i-1", (1000, "ERROR"))
    await put_filter(world, metricValue="10")
    world.write("A/i-1", (2000, "ERROR"))
    await metrics.look()
    assert [("errors", 1, 1, 10), ("errors", 2, 1, 10)] == sink.taken()
    await world.call("DeleteMetricFilter", logGroupName=GROUP, filterName="errors")
    world.write("A/i-1", (3000, "ERROR"))
    await metrics.look()
    assert [] == sink.taken()


async def test_while_metrics_cannot_be_put_nothing_is_lost(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    await put_filter(world)
    sink.is_available = False
    for second in (1, 2):
        world.write("A/i-1", (second * 1000, "ERROR"))
        with pytest.raises(MetricsUnavailable):
            await metrics.look()
    sink.is_available = True
    await metrics.look()
    assert [("errors", 1, 1, 1), ("errors", 2, 1, 1)] == sink.taken()


async def test_what_comes_while_control_is_away_is_measured_once(
    world: LogsWorld, metrics: LogMetrics, sink: Sink
) -> None:
    await put_filter(world)
    world.write("A/i-1", (1000, "ERROR"))
    await metrics.look()
    world.write("A/i-1", (2000, "ERROR"))
    world.write("A/i-2", (3000, "ERROR of a new instance"))
    again = make(world, sink)
    await again.filters_changed()
    await again.look()
    assert [("errors", 1, 1, 1), ("errors", 2, 1, 1), ("errors", 3, 1, 1)] == sink.taken()
    once_more = make(world, sink)
    await once_more.filters_changed()
    await once_more.look()
    assert [] == sink.taken()


async def test_what_fails_in_one_look_fails_in_no_other(world: LogsWorld, sink: Sink) -> None:
    world.clock = NoWaiting()
    world.metrics = make(world, sink)
    await put_filter(world)
    await put_filter(world, "bad", pattern="FATAL")
    sink.chokes_on = "bad"
    world.write("A/i-1", (1000, "ERROR"), (1000, "FATAL"))
    world.metrics.start()
    async with asyncio.timeout(60):
        await sink.has_choked.wait()
        world.write("A/i-1", (3000, "ERROR"))
        await sink.has_taken.wait()
    await world.metrics.close()
    assert [("errors", 3, 1, 1)] == sink.taken()


async def test_a_damaged_file_of_progress_is_begun_anew(world: LogsWorld, metrics: LogMetrics, sink: Sink) -> None:
    (world.root / "measured.json").write_text("[")
    await put_filter(world)
    world.write("A/i-1", (1000, "ERROR"))
    await metrics.look()
    assert [("errors", 1, 1, 1)] == sink.taken()


async def test_filters_are_listed_by_name(world: LogsWorld) -> None:
    await world.call("CreateLogGroup", logGroupName="/own")
    for name, group in (("b", GROUP), ("a", GROUP), ("a", "/own"), ("c", "/own")):
        await put_filter(world, name, group=group)

    async def listed(**request: Any) -> list[tuple[str, str]]:
        page = await world.call("DescribeMetricFilters", **request)
        return [(each["filterName"], each["logGroupName"]) for each in page["metricFilters"]]

    assert [("a", GROUP), ("a", "/own"), ("b", GROUP), ("c", "/own")] == await listed()
    assert [("a", GROUP), ("b", GROUP)] == await listed(logGroupName=GROUP)
    assert [("b", GROUP)] == await listed(logGroupName=GROUP, filterNamePrefix="b")
    assert [("a", GROUP), ("a", "/own")] == await listed(metricName="a", metricNamespace="App")
    first = await world.call("DescribeMetricFilters", limit=3)
    assert [("c", "/own")] == await listed(nextToken=first["nextToken"])
    assert {
        "filterName": "a",
        "logGroupName": GROUP,
        "filterPattern": "ERROR",
        "creationTime": START_MS,
        "metricTransformations": [{"metricNamespace": "App", "metricName": "a", "metricValue": "1"}],
    } == first["metricFilters"][0]
    groups = (await world.call("DescribeLogGroups"))["logGroups"]
    assert [2, 2] == [group["metricFilterCount"] for group in groups]


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("PutMetricFilter", {"logGroupName": "/none"}, "ResourceNotFoundException"),
        ("PutMetricFilter", {"filterPattern": '"'}, "InvalidParameterException"),
        ("PutMetricFilter", {"fieldSelectionCriteria": "x"}, "InvalidParameterException"),
        ("DeleteMetricFilter", {}, "ResourceNotFoundException"),
        ("DescribeMetricFilters", {"metricName": "x"}, "InvalidParameterException"),
        ("DescribeMetricFilters", {"logGroupName": "/none"}, "ResourceNotFoundException"),
    ],
)
async def test_refused(world: LogsWorld, operation: str, request_: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {"logGroupName": GROUP, "filterName": "x"}
    if operation == "PutMetricFilter":
        given |= {"filterPattern": "", "metricTransformations": [_transformation()]}
    with pytest.raises(ServiceError) as caught:
        await world.call(operation, **given | request_)
    assert code == caught.value.code


async def test_a_group_has_so_many_filters_at_most(world: LogsWorld) -> None:
    for number in range(100):
        await put_filter(world, f"f{number}")
    with pytest.raises(ServiceError, match="A log group can have 100 metric filters at most"):
        await put_filter(world, "one more")
    await put_filter(world, "f0")


def _transformation() -> dict[str, str]:
    return {"metricNamespace": "App", "metricName": "x", "metricValue": "1"}
