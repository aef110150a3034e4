"""PutMetricData, ListMetrics and GetMetricStatistics as boto3 sees them, in every protocol that CloudWatch speaks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.part import Needs
from moorage.api.server import Api
from moorage.api.service import Caller
from moorage.api.tokens import PageTokens
from moorage.aws.errors import ServiceError
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.base import Measured, MetricsUnavailable, TooManyMetrics
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.protocols import speaking

NOW = datetime(2026, 11, 21, 14, 3, 20, tzinfo=UTC)
MINUTE = NOW.replace(second=0)
CITY = [{"Name": "City", "Value": "Bonn"}]
PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]


class StoppedClock(SystemClock):
    def now(self) -> datetime:
        return NOW


class Shelf(MemoryMetrics):
    """One that can be made to refuse."""

    refusal: Exception | None = None

    async def put(self, measured: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        await super().put(measured)

    @property
    def everything(self) -> list[Measured]:
        return self._measured


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def service(shelf: Shelf) -> CloudWatch:
    return CloudWatch(
        Needs(
            store=MemoryStore(),
            clock=StoppedClock(),
            account_id=ACCOUNT_ID,
            metrics=shelf,
            sink=shelf,
            tokens=PageTokens(b"key"),
            wake_alarms=lambda: None,
        )
    )


@pytest.fixture
def aws(service: CloudWatch) -> Iterator[InProcess]:
    with InProcess(Api([service], root_key_ring, clock=SystemClock())) as aws:
        yield aws


@pytest.fixture
def client(aws: InProcess) -> Any:
    return aws.client("cloudwatch")


def put(client: Any, *data: Any, namespace: str = "Shop") -> None:
    client.put_metric_data(Namespace=namespace, MetricData=data)


def statistics(client: Any, *names: str, **members: Any) -> list[dict[str, Any]]:
    request = {
        "Namespace": "Shop",
        "MetricName": "Sales",
        "StartTime": MINUTE - timedelta(hours=1),
        "EndTime": MINUTE + timedelta(hours=1),
        "Period": 60,
        "Statistics": names,
        **members,
    }
    found = client.get_metric_statistics(**{name: value for name, value in request.items() if value != ()})
    assert request["MetricName"] == found["Label"]
    return sorted(found["Datapoints"], key=lambda each: (each["Timestamp"], each["Unit"]))


async def call(service: CloudWatch, operation: str, **request: Any) -> Any:
    caller = Caller(ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root", ACCOUNT_ID, "AKIA", "us-east-1", "request")
    return await service.handlers()[operation](caller, request)


async def refusal(service: CloudWatch, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        await call(service, operation, **request)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_was_put_is_listed_and_answered(aws: InProcess, protocol: str) -> None:
    client = speaking(aws.client("cloudwatch"), protocol)
    put(
        client,
        {"MetricName": "Sales", "Dimensions": CITY, "Value": 4.5, "Unit": "Count"},
        {"MetricName": "Sales", "Dimensions": CITY, "Values": [1.0, 2.5], "Counts": [3.0, 1.0], "Unit": "Count"},
        {
            "MetricName": "Sales",
            "Dimensions": CITY,
            "Unit": "Count",
            "Timestamp": MINUTE - timedelta(minutes=5),
            "StatisticValues": {"SampleCount": 2, "Sum": 7, "Minimum": 3, "Maximum": 4},
        },
    )
    assert [{"Namespace": "Shop", "MetricName": "Sales", "Dimensions": CITY}] == client.list_metrics()["Metrics"]
    names = "SampleCount", "Average", "Sum", "Minimum", "Maximum"
    assert [
        {
            "Timestamp": MINUTE - timedelta(minutes=5),
            **dict(zip(names, (2.0, 3.5, 7.0, 3.0, 4.0), strict=True)),
            "Unit": "Count",
        },
        {"Timestamp": MINUTE, **dict(zip(names, (5.0, 2.0, 10.0, 1.0, 4.5), strict=True)), "Unit": "Count"},
    ] == statistics(client, *names, Dimensions=CITY)
    extended = statistics(client, ExtendedStatistics=["p50", "p100"], Dimensions=CITY)
    # Of the set of statistics nothing more is known.
    assert [(MINUTE, {"p50": 1.0, "p100": 4.5})] == [
        (each["Timestamp"], each["ExtendedStatistics"]) for each in extended
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_refusals_have_the_codes_that_clients_catch(aws: InProcess, protocol: str) -> None:
    client = speaking(aws.client("cloudwatch"), protocol)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"\(InvalidParameterValue\).*AWS/"):
        put(client, {"MetricName": "Sales", "Value": 1.0}, namespace="AWS/SageMaker")
    with pytest.raises(client.exceptions.MissingRequiredParameterException, match=r"\(MissingParameter\)"):
        put(client, {"MetricName": "Sales"})
    with pytest.raises(
        client.exceptions.InvalidParameterCombinationException, match=r"\(InvalidParameterCombination\)"
    ):
        put(client, {"MetricName": "Sales", "Value": 1.0, "Values": [1.0]})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_large_requests_come_compressed(aws: InProcess, shelf: Shelf, protocol: str) -> None:
    client = speaking(aws.client("cloudwatch"), protocol)
    sent: list[Any] = []
    client.meta.events.register("before-send.cloudwatch.PutMetricData", lambda request, **_: sent.append(request))
    put(
        client,
        *({"MetricName": f"Sales{number}", "Dimensions": CITY, "Value": float(number)} for number in range(1000)),
    )
    assert b"gzip" == sent[0].headers["Content-Encoding"]
    assert 1000 == len(shelf.everything)


WRONG_DATA = [
    ({"MetricName": "S", "Value": float("nan")}, "MetricData.member.1.Value is invalid"),
    ({"MetricName": "S", "Value": 2.0**361}, "in the range of -2^360 to 2^360"),
    ({"MetricName": "S", "Values": [1.0, float("inf")]}, "MetricData.member.1.Values.member.2 is invalid"),
    ({"MetricName": "S", "Values": []}, "between 1 and 150"),
    ({"MetricName": "S", "Values": [1.0] * 151}, "between 1 and 150"),
    ({"MetricName": "S", "Values": [1.0], "Counts": [1.0, 2.0]}, "same length"),
    ({"MetricName": "S", "Values": [1.0], "Counts": [0.0]}, "must be above 0"),
    ({"MetricName": "S", "Values": [1.0], "Counts": [-1.0]}, "must be above 0"),
    ({"MetricName": "S", "Value": 1.0, "StorageResolution": 5}, "StorageResolution must be 1 or 60"),
    ({"MetricName": "S", "Value": 1.0, "Timestamp": NOW - timedelta(days=15)}, "within the past two weeks"),
    ({"MetricName": "S", "Value": 1.0, "Timestamp": NOW + timedelta(hours=3)}, "two hours in the future"),
    ({"MetricName": "S", "Value": 1.0, "Dimensions": [{"Name": ":a", "Value": "b"}]}, "not begin with a colon"),
    ({"MetricName": "S", "Value": 1.0, "Dimensions": [{"Name": "a", "Value": " "}]}, "at least one character"),
    ({"MetricName": "S", "Value": 1.0, "Dimensions": CITY * 2}, "City is there twice"),
    ({"MetricName": "é", "Value": 1.0}, "MetricName is invalid"),
]


@pytest.mark.parametrize(("datum", "reason"), WRONG_DATA)
async def test_values_that_cannot_be_are_named(service: CloudWatch, datum: Any, reason: str) -> None:
    code, message = await refusal(service, "PutMetricData", Namespace="Shop", MetricData=[datum])
    assert ("InvalidParameterValue", True) == (code, reason in message), message


@pytest.mark.parametrize(
    ("set_", "reason"),
    [((0, 1, 1, 1), "SampleCount must be above 0"), ((2, 3, 2, 1), "Maximum must be greater than or equal")],
)
async def test_sets_that_cannot_be_are_named(service: CloudWatch, set_: Any, reason: str) -> None:
    members = dict(zip(("SampleCount", "Sum", "Minimum", "Maximum"), map(float, set_), strict=True))
    data = [{"MetricName": "S", "StatisticValues": members}]
    code, message = await refusal(service, "PutMetricData", Namespace="Shop", MetricData=data)
    assert ("InvalidParameterValue", True) == (code, reason in message)


async def test_of_a_thousand_and_one_nothing_is_kept(service: CloudWatch, shelf: Shelf) -> None:
    data = [{"MetricName": "S", "Value": 1.0}] * 1001
    assert "InvalidParameterValue" == (await refusal(service, "PutMetricData", Namespace="Shop", MetricData=data))[0]
    wrong = [{"MetricName": "S", "Value": 1.0}, {"MetricName": "S"}]
    assert "MissingParameter" == (await refusal(service, "PutMetricData", Namespace="Shop", MetricData=wrong))[0]
    assert [] == shelf.everything


async def test_what_is_not_supported_is_refused_by_name(service: CloudWatch) -> None:
    data = [{"MetricData": [{"MetricName": "S", "Value": 1.0}]}]
    code, message = await refusal(service, "PutMetricData", Namespace="Shop", EntityMetricData=data)
    assert ("InvalidParameterValue", True) == (code, "EntityMetricData" in message)
    for member, value in (("IncludeLinkedAccounts", True), ("OwningAccount", "123456789012")):
        code, message = await refusal(service, "ListMetrics", **{member: value})
        assert ("InvalidParameterValue", True) == (code, member in message)


def test_a_shelf_that_takes_no_more_is_no_secret(client: Any, shelf: Shelf) -> None:
    shelf.refusal = TooManyMetrics("There are as many as there may be.")
    with pytest.raises(ClientError, match=r"\(LimitExceeded\).*as many as there may be"):
        put(client, {"MetricName": "S", "Value": 1.0})
    shelf.refusal = MetricsUnavailable("disk full")
    with pytest.raises(ClientError, match=r"\(ServiceUnavailable\)") as caught:
        put(client, {"MetricName": "S", "Value": 1.0})
    assert 503 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_metrics_come_in_pages_of_five_hundred(client: Any) -> None:
    for start in (0, 1000):
        put(client, *({"MetricName": f"S{number:04}", "Value": 1.0} for number in range(start, start + 600)))
    pages = list(client.get_paginator("list_metrics").paginate(Namespace="Shop"))
    assert [500, 500, 200] == [len(page["Metrics"]) for page in pages]
    assert [f"S{number:04}" for number in (*range(600), *range(1000, 1600))] == [
        metric["MetricName"] for page in pages for metric in page["Metrics"]
    ]
    with pytest.raises(ClientError, match=r"\(InvalidParameterValue\).*NextToken"):
        client.list_metrics(Namespace="Other", NextToken=pages[0]["NextToken"])
    with pytest.raises(ClientError, match=r"\(InvalidParameterValue\).*NextToken"):
        client.list_metrics(Namespace="Shop", NextToken="made up")


def test_lists_are_narrowed_by_dimensions_and_by_age(client: Any) -> None:
    put(
        client,
        {"MetricName": "Old", "Value": 1.0, "Dimensions": CITY, "Timestamp": NOW - timedelta(hours=4)},
        {"MetricName": "New", "Value": 1.0, "Dimensions": [*CITY, {"Name": "Shop", "Value": "1"}]},
    )

    def names(**filters: Any) -> list[str]:
        return [metric["MetricName"] for metric in client.list_metrics(**filters)["Metrics"]]

    assert ["New", "Old"] == names(Dimensions=[{"Name": "City"}])
    assert ["New"] == names(Dimensions=[{"Name": "City", "Value": "Bonn"}, {"Name": "Shop"}])
    assert ["New"] == names(RecentlyActive="PT3H")
    assert [] == names(Dimensions=[{"Name": "City", "Value": "Paris"}])


def test_each_unit_has_datapoints_of_its_own(client: Any) -> None:
    for unit, value in (("Seconds", 1.0), ("Bytes", 5.0)):
        put(client, {"MetricName": "Sales", "Value": value, "Unit": unit})
    found = statistics(client, "Sum")
    assert [("Bytes", 5.0), ("Seconds", 1.0)] == [(each["Unit"], each["Sum"]) for each in found]
    assert ["Bytes"] == [each["Unit"] for each in statistics(client, "Sum", Unit="Bytes")]


def test_periods_begin_where_the_request_does(client: Any) -> None:
    for minute in range(6):
        put(client, {"MetricName": "Sales", "Value": 1.0, "Timestamp": MINUTE - timedelta(minutes=minute)})
    start = MINUTE - timedelta(minutes=5, seconds=-30)
    found = statistics(client, "Sum", StartTime=start, EndTime=MINUTE + timedelta(minutes=1), Period=180)
    assert [(5, 3.0), (2, 3.0)] == [
        ((MINUTE - each["Timestamp"]) // timedelta(minutes=1), each["Sum"]) for each in found
    ]


def test_high_resolution_is_answered_by_the_second(client: Any) -> None:
    for second in (0, 1, 5):
        put(
            client,
            {
                "MetricName": "Sales",
                "Value": 1.0,
                "StorageResolution": 1,
                "Timestamp": MINUTE + timedelta(seconds=second),
            },
        )
    window = {"StartTime": MINUTE, "EndTime": MINUTE + timedelta(seconds=10)}
    assert [1.0, 1.0, 1.0] == [each["Sum"] for each in statistics(client, "Sum", Period=1, **window)]
    assert [2.0, 1.0] == [each["Sum"] for each in statistics(client, "Sum", Period=5, **window)]


WRONG_WINDOWS = [
    ({"StartTime": MINUTE, "EndTime": MINUTE}, "InvalidParameterCombination", "StartTime must be less than"),
    ({"Period": 7}, "InvalidParameterValue", "1, 5, 10, 20, 30 or a multiple of 60"),
    ({"Period": 90}, "InvalidParameterValue", "multiple of 60"),
    ({"Period": 1, "StartTime": MINUTE - timedelta(hours=4)}, "InvalidParameterValue", "a multiple of 60"),
    ({"Period": 60, "StartTime": MINUTE - timedelta(days=16)}, "InvalidParameterValue", "a multiple of 300"),
    ({"Period": 300, "StartTime": MINUTE - timedelta(days=64)}, "InvalidParameterValue", "a multiple of 3600"),
    (
        {"Period": 60, "StartTime": MINUTE - timedelta(days=10)},
        "InvalidParameterCombination",
        "You have requested up to 14,400 datapoints, which exceeds the limit of 1,440.",
    ),
    ({"Statistics": ()}, "InvalidParameterCombination", "At least one of the parameters"),
    ({"ExtendedStatistics": ["p50"]}, "InvalidParameterCombination", "mutually exclusive"),
    ({"Statistics": (), "ExtendedStatistics": ["q50"]}, "InvalidParameterValue", "q50"),
    ({"Statistics": (), "ExtendedStatistics": ["Sum"]}, "InvalidParameterValue", "Sum"),
]


@pytest.mark.parametrize(("members", "code", "reason"), WRONG_WINDOWS)
async def test_windows_that_cannot_be_are_refused(service: CloudWatch, members: Any, code: str, reason: str) -> None:
    request = {
        "Namespace": "Shop",
        "MetricName": "Sales",
        "StartTime": MINUTE - timedelta(hours=1),
        "EndTime": MINUTE,
        "Period": 60,
        "Statistics": ("Sum",),
        **members,
    }
    found = await refusal(service, "GetMetricStatistics", **request)
    assert (code, True) == (found[0], reason in found[1]), found


async def test_the_window_may_have_exactly_as_many_datapoints_as_are_answered(service: CloudWatch) -> None:
    window = {"StartTime": MINUTE - timedelta(minutes=1440), "EndTime": MINUTE, "Period": 60}
    named = {"Namespace": "Shop", "MetricName": "Sales", "Statistics": ["Sum"]}
    assert {"Label": "Sales", "Datapoints": []} == await call(service, "GetMetricStatistics", **named, **window)


BOMB = gzip.compress(b"x" * (64 << 20))


@pytest.mark.parametrize(
    ("encoding", "body", "status", "said"),
    [
        ("gzip", b"not gzip", 400, "not valid gzip"),
        ("gzip", gzip.compress(b"{}")[:-4], 400, "not one whole gzip stream"),
        ("gzip", gzip.compress(b"{}") + b"more", 400, "not one whole gzip stream"),
        ("gzip", BOMB, 413, "larger than"),
        ("br", b"{}", 415, "Content-Encoding"),
    ],
)
def test_bodies_that_are_not_what_they_say(aws: InProcess, encoding: str, body: bytes, status: int, said: str) -> None:
    client = aws.client("cloudwatch")

    def replace_body(request: Any, **_: Any) -> None:
        request.data = body
        request.headers["Content-Encoding"] = encoding

    client.meta.events.register("before-sign.cloudwatch.ListMetrics", replace_body)
    with pytest.raises(ClientError, match=said) as caught:
        client.list_metrics()
    assert status == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
