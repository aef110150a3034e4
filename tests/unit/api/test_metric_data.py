"""GetMetricData through botocore, in each of CloudWatch's protocols: order, pages, labels, periods, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.part import Needs
from moorage.api.server import Api
from moorage.api.tokens import PageTokens
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.base import Measured
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.protocols import speaking

NOW: Final = datetime(2026, 11, 21, 14, 3, 20, tzinfo=UTC)
START: Final = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


class StoppedClock(SystemClock):
    def now(self) -> datetime:
        return NOW


def variant(name: str) -> MetricKey:
    return MetricKey("us-east-1", "Shop", "Sold", (("Variant", name),))


@pytest.fixture(scope="module")
def metrics() -> MemoryMetrics:
    metrics = MemoryMetrics()
    measured = [
        Measured(variant(name), START.timestamp() + minute * 60, distribution_of([(float(step * minute), 1)]))
        for name, step in (("a", 10), ("b", 100))
        for minute in (0, 1, 2)
    ]
    asyncio.run(metrics.put(measured))
    return metrics


@pytest.fixture(scope="module")
def aws(metrics: MemoryMetrics) -> Iterator[InProcess]:
    needs = Needs(
        store=MemoryStore(),
        clock=StoppedClock(),
        account_id=ACCOUNT_ID,
        metrics=metrics,
        sink=metrics,
        tokens=PageTokens(b"key"),
        wake_alarms=lambda: None,
    )
    with InProcess(Api([CloudWatch(needs)], root_key_ring, clock=SystemClock())) as aws:
        yield aws


@pytest.fixture(scope="module")
def client(aws: InProcess) -> Any:
    return aws.client("cloudwatch")


def sold(id_: str, name: str, statistic: str = "Sum", **members: Any) -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": "Sold", "Dimensions": [{"Name": "Variant", "Value": name}]}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}, **members}


def get(client: Any, *queries: Any, start: datetime = START, **members: Any) -> Any:
    return client.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=NOW, **members)


def minutes(result: Any) -> list[tuple[int, float]]:
    return [(time.minute, value) for time, value in zip(result["Timestamps"], result["Values"], strict=True)]


def test_a_result_has_its_values_from_the_latest_on(client: Any) -> None:
    (result,) = get(client, sold("m1", "a"))["MetricDataResults"]
    assert [(2, 20.0), (1, 10.0), (0, 0.0)] == minutes(result)
    assert ("m1", "Sold", "Complete") == (result["Id"], result["Label"], result["StatusCode"])
    assert START + timedelta(minutes=2) == result["Timestamps"][0]


@pytest.mark.parametrize("protocol", ["json", "query", "smithy-rpc-v2-cbor"])
def test_all_protocols_say_the_same(aws: InProcess, protocol: str) -> None:
    client = speaking(aws.client("cloudwatch"), protocol)
    queries = [sold("m1", "a", ReturnData=False), {"Id": "e1", "Expression": "m1 / 4", "Label": "a quarter"}]
    (result,) = get(client, *queries, ScanBy="TimestampAscending")["MetricDataResults"]
    assert [(0, 0.0), (1, 2.5), (2, 5.0)] == minutes(result)
    assert ("e1", "a quarter") == (result["Id"], result["Label"])
    with pytest.raises(ClientError, match=r"\(ValidationError\).*Error in expression 'e1' \[Invalid syntax"):
        get(client, {"Id": "e1", "Expression": "m1 +"})


@pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_pages_come_to_the_whole(client: Any, order: str, size: int) -> None:
    queries = [sold("m1", "a"), sold("none", "c"), sold("m2", "b")]
    whole = get(client, *queries, ScanBy=order)["MetricDataResults"]
    values: dict[str, list[tuple[int, float]]] = {}
    last: dict[str, str] = {}
    token: dict[str, Any] = {}
    while True:
        page = get(client, *queries, ScanBy=order, MaxDatapoints=size, **token)
        assert size >= sum(len(result["Values"]) for result in page["MetricDataResults"])
        for result in page["MetricDataResults"]:
            values.setdefault(result["Id"], []).extend(minutes(result))
            last[result["Id"]] = result["StatusCode"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert {result["Id"]: minutes(result) for result in whole} == values
    assert {"Complete"} == set(last.values())


def test_a_token_is_for_the_queries_it_was_given_for(client: Any) -> None:
    token = get(client, sold("m1", "a"), MaxDatapoints=1)["NextToken"]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        get(client, sold("m1", "b"), NextToken=token)
    with pytest.raises(ClientError, match="InvalidNextToken"):
        get(client, sold("m1", "a"), NextToken="x")


def test_metrics_that_are_alike_are_told_apart_by_their_labels(client: Any) -> None:
    results = get(client, sold("m1", "a"), sold("m2", "b", "Average"))["MetricDataResults"]
    assert ["a Sum", "b Average"] == [result["Label"] for result in results]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("plain", "plain"),
        ("${LABEL}: ${LAST}, ${MIN} to ${MAX}, ${AVG}", "Sold: 20, 0 to 20, 10"),
        ("${SUM} in ${DATAPOINT_COUNT}, ${FIRST}", "30 in 3, 0"),
        ("at ${MAX_TIME}", "at 2026-11-21 15:32:00 +0130"),
        ("${LAST_TIME_RELATIVE} ago", "0:01:20 ago"),
        ("${MIN_MAX_RANGE} in ${MIN_MAX_TIME_RANGE}", "20 in 0:02:00"),
        ("${PROP('MetricName')} ${PROP('Dim.Variant')} ${PROP('Dim.Nothing')}", "Sold a "),
        ("${PROP('Stat')}/${PROP('Period')}s ${PROP('Region')}", "Sum/60s us-east-1"),
        ("${PROP('Namespace')} ${PROP('AccountId')}", f"Shop {ACCOUNT_ID}"),
    ],
)
def test_a_label_says_what_it_is_asked_to(client: Any, label: str, expected: str) -> None:
    page = get(client, sold("m1", "a", Label=label), LabelOptions={"Timezone": "+0130"})
    assert expected == page["MetricDataResults"][0]["Label"]


def test_a_label_of_an_array_stands_before_those_of_its_time_series(client: Any) -> None:
    search = {"Id": "s", "Expression": "SEARCH('{Shop,Variant} Sold', 'Sum', 60)", "Label": "Sold by"}
    labels = [{**search, "Id": "l", "Label": "${LABEL}!"}, {**search, "Id": "n", "Label": ""}]
    results = get(client, search, *labels)["MetricDataResults"]
    assert ["Sold by a", "Sold by b", "a!", "b!", "a", "b"] == [result["Label"] for result in results]


def test_what_began_before_anything_is_kept_begins_there(client: Any) -> None:
    page = get(client, *(sold(f"m{n}", "a") for n in range(20)), start=datetime(1970, 1, 1, tzinfo=UTC))
    assert [[(0, 30.0)]] * 20 == [minutes(result) for result in page["MetricDataResults"]]


def test_periods_of_what_is_kept_by_longer_ones_are_rounded_up_and_it_is_said(client: Any) -> None:
    long = sold("long", "a")
    long["MetricStat"]["Period"] = 600
    short, same = get(client, sold("m1", "a"), long, start=START - timedelta(days=20))["MetricDataResults"]
    assert [(0, 30.0)] == minutes(short) == minutes(same)
    assert "PeriodRoundedUp" == short["Messages"][0]["Code"]
    assert "kept by 300 seconds" in short["Messages"][0]["Value"]
    assert not same.get("Messages")


def test_a_search_that_leaves_metrics_out_is_partial(metrics: MemoryMetrics, client: Any) -> None:
    key = MetricKey("us-east-1", "Many", "Sold", (("Variant", ""),))
    keys = [key._replace(dimensions=(("Variant", str(number)),)) for number in range(501)]
    values = distribution_of([(1.0, 1)])
    asyncio.run(metrics.put([Measured(each, START.timestamp(), values) for each in keys]))
    page = get(client, {"Id": "sum", "Expression": "SUM(SEARCH('Namespace=Many', 'Sum', 60))"})
    (result,) = page["MetricDataResults"]
    assert ([(0, 500.0)], "PartialData") == (minutes(result), result["StatusCode"])
    assert ["Maximum number of allowed metrics exceeded"] == [each["Value"] for each in page["Messages"]]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"MetricDataQueries": []}, "size from 1 to 500"),
        ({"MetricDataQueries": [sold(f"m{n}", "a") for n in range(501)]}, "size from 1 to 500"),
        ({"EndTime": START}, "StartTime must be less than the parameter EndTime"),
        ({"MaxDatapoints": 0}, "MaxDatapoints must be between 1 and 100800"),
        ({"LabelOptions": {"Timezone": "CET"}}, "LabelOptions.Timezone is invalid: 'CET'"),
        ({"MetricDataQueries": [sold("m1", "a", Label="${NOPE}")]}, r"\$\{NOPE\} is not a value"),
        ({"MetricDataQueries": [sold("m1", "a", Label="${PROP('Nope')}")]}, "is not a property"),
        ({"MetricDataQueries": [sold("m1", "a", Label="${SUM}" * 6)]}, "5 dynamic values at most"),
        ({"MetricDataQueries": [sold("m1", "a", Label="x" * 2049)]}, "2048 characters at most"),
    ],
)
def test_what_cannot_be_answered_is_refused(client: Any, members: dict[str, Any], message: str) -> None:
    usual = {"MetricDataQueries": [sold("m1", "a")], "StartTime": START, "EndTime": NOW}
    with pytest.raises(ClientError, match=rf"\(ValidationError\).*{message}"):
        client.get_metric_data(**{**usual, **members})
