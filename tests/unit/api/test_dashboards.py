"""Dashboards and tags through botocore, and what their bodies have to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.dashboard_body import Problem, problems_of
from moorage.api.cloudwatch.part import Needs
from moorage.api.cloudwatch.permissions import requirements
from moorage.api.server import Api
from moorage.api.tokens import PageTokens
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.protocols import speaking

TEXT: Final = {"type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": {"markdown": "# Shop"}}
METRIC: Final = {
    "type": "metric",
    "properties": {
        "metrics": [["AWS/SageMaker", "Invocations", "EndpointName", "iris", {"stat": "Sum"}], [{"expression": "m1"}]],
        "region": "us-east-1",
        "view": "timeSeries",
        "period": 60,
    },
}
BODY: Final = json.dumps({"widgets": [TEXT, METRIC]}, indent=1)


@pytest.fixture
def aws() -> Iterator[InProcess]:
    metrics, clock = MemoryMetrics(), SystemClock()
    needs = Needs(
        store=MemoryStore(),
        clock=clock,
        account_id=ACCOUNT_ID,
        metrics=metrics,
        sink=metrics,
        tokens=PageTokens(b"key"),
        wake_alarms=lambda: None,
    )
    with InProcess(Api([CloudWatch(needs)], root_key_ring, clock=clock)) as aws:
        yield aws


@pytest.fixture(params=["json", "query", "smithy-rpc-v2-cbor"])
def client(aws: InProcess, request: pytest.FixtureRequest) -> Any:
    return speaking(aws.client("cloudwatch"), request.param)


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_dashboard_is_answered_as_it_was_put_in_every_region(aws: InProcess, client: Any) -> None:
    assert not client.put_dashboard(DashboardName="shop", DashboardBody=BODY).get("DashboardValidationMessages")
    found = aws.client("cloudwatch", region="eu-west-1").get_dashboard(DashboardName="shop")
    assert (BODY, "shop") == (found["DashboardBody"], found["DashboardName"])
    assert f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/shop" == found["DashboardArn"]
    client.put_dashboard(DashboardName="shop", DashboardBody='{"widgets": []}')
    (entry,) = client.list_dashboards()["DashboardEntries"]
    assert ("shop", len('{"widgets": []}')) == (entry["DashboardName"], entry["Size"])


def test_dashboards_are_listed_by_prefix_in_pages(client: Any) -> None:
    names = [f"shop-{number:03}" for number in range(205)]
    for name in [*names, "other", "Shop"]:
        client.put_dashboard(DashboardName=name, DashboardBody="{}")
    pages = list(client.get_paginator("list_dashboards").paginate(DashboardNamePrefix="shop-"))
    assert [100, 100, 5] == [len(page["DashboardEntries"]) for page in pages]
    assert names == [entry["DashboardName"] for page in pages for entry in page["DashboardEntries"]]
    with pytest.raises(ClientError, match="NextToken is not one that this list gave"):
        client.list_dashboards(NextToken=pages[0]["NextToken"])


def test_dashboards_are_deleted_even_if_another_is_not_there(client: Any) -> None:
    for name in ("a", "b"):
        client.put_dashboard(DashboardName=name, DashboardBody="{}")
    with pytest.raises(ClientError, match="Dashboard c does not exist") as caught:
        client.delete_dashboards(DashboardNames=["a", "c", "b"])
    assert code_of(caught) in {"ResourceNotFound", "DashboardNotFoundError"}
    assert 404 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert not client.list_dashboards()["DashboardEntries"]
    with pytest.raises(ClientError, match="Dashboard a does not exist"):
        client.get_dashboard(DashboardName="a")


def test_what_is_merely_unknown_is_said_and_the_dashboard_kept(client: Any) -> None:
    body = json.dumps({"widgets": [{"type": "clock", "properties": {}}], "colour": "red"})
    answer = client.put_dashboard(DashboardName="odd", DashboardBody=body)
    assert [("/colour", "Unknown property"), ("/widgets/0/type", "Unknown widget type 'clock'")] == [
        (each["DataPath"], each["Message"]) for each in answer["DashboardValidationMessages"]
    ]
    assert body == client.get_dashboard(DashboardName="odd")["DashboardBody"]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("shop", "{", "The field DashboardBody must be a valid JSON object"),
        ("shop", "[" * 5000 + "]" * 5000, "The field DashboardBody must be a valid JSON object"),
        ("shop", "[]", "The field DashboardBody must be a valid JSON object"),
        ("a shop", "{}", "field DashboardName contains invalid characters"),
        ("shop", '{"widgets": [{}]}', "there are 2 validation errors.*Should have required property 'type'"),
    ],
)
def test_what_is_no_dashboard_is_refused(client: Any, name: str, body: str, message: str) -> None:
    with pytest.raises(ClientError, match=f"(?s){message}") as caught:
        client.put_dashboard(DashboardName=name, DashboardBody=body)
    assert code_of(caught) in {"InvalidParameterInput", "DashboardInvalidInputError"}
    assert not client.list_dashboards()["DashboardEntries"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"start": 5}, Problem("/start", "Should be string")),
        ({"periodOverride": "no"}, Problem("/periodOverride", "Should be equal to one of auto, inherit")),
        ({"widgets": {}}, Problem("/widgets", "Should be up to 500 items")),
        ({"widgets": [5]}, Problem("/widgets/0", "Should be object")),
        ({"widgets": [{**TEXT, "x": 24}]}, Problem("/widgets/0/x", "Should be an integer from 0 to 23")),
        ({"widgets": [{**TEXT, "width": True}]}, Problem("/widgets/0/width", "Should be an integer from 1 to 24")),
        (
            {"widgets": [{key: value for key, value in TEXT.items() if key != "y"}]},
            Problem("/widgets/0", "Should have both properties 'x' and 'y', or neither"),
        ),
        (
            {"widgets": [{**TEXT, "properties": {}}]},
            Problem("/widgets/0/properties", "Should have required property 'markdown'"),
        ),
        (
            {"widgets": [{"type": "metric", "properties": {"region": "us-east-1"}}]},
            Problem("/widgets/0/properties", "Should have property 'metrics' or 'annotations'"),
        ),
        (
            {"widgets": [{"type": "metric", "properties": {"region": "us-east-1", "metrics": ["a"]}}]},
            Problem("/widgets/0/properties/metrics/0", "Should be an array of at least one item"),
        ),
        (
            {"widgets": [{"type": "log", "properties": {"region": "us-east-1", "query": 5}}]},
            Problem("/widgets/0/properties/query", "Should be string"),
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_said_by_its_place(body: Any, problem: Problem) -> None:
    assert [problem] == problems_of(json.dumps(body))


def test_tags_of_dashboards_and_alarms(client: Any) -> None:
    client.put_dashboard(DashboardName="shop", DashboardBody="{}", Tags=[{"Key": "team", "Value": "red"}])
    client.put_metric_alarm(
        AlarmName="full",
        Namespace="Shop",
        MetricName="Queue",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=9,
        ComparisonOperator="GreaterThanThreshold",
    )
    dashboard = f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/shop"
    alarm = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT_ID}:alarm:full"
    for arn in (dashboard, alarm):
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "blue"}, {"Key": "step", "Value": "1"}])
        client.untag_resource(ResourceARN=arn, TagKeys=["step", "none"])
        assert [{"Key": "team", "Value": "blue"}] == client.list_tags_for_resource(ResourceARN=arn)["Tags"]
    client.delete_dashboards(DashboardNames=["shop"])
    client.put_dashboard(DashboardName="shop", DashboardBody="{}")
    assert not client.list_tags_for_resource(ResourceARN=dashboard)["Tags"]


@pytest.mark.parametrize(
    ("arn", "tags", "message"),
    [
        ("arn:aws:cloudwatch::1:dashboard/none", {}, "ResourceNotFound.*does not exist"),
        ("arn:aws:cloudwatch:us-east-1:1:alarm:none", {}, "ResourceNotFound.*does not exist"),
        ("arn:aws:cloudwatch:us-east-1:1:insight-rule/a", {}, "alarms and dashboards only"),
        (f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/shop", {"aws:a": ""}, "reserved for system use"),
        (f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/shop", {f"{n}": "" for n in range(51)}, "50 tags at most"),
    ],
)
def test_tags_that_cannot_be_are_refused(client: Any, arn: str, tags: dict[str, str], message: str) -> None:
    client.put_dashboard(DashboardName="shop", DashboardBody="{}")
    with pytest.raises(ClientError, match=message):
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@pytest.mark.parametrize(
    ("operation", "request_", "required"),
    [
        ("GetMetricData", {"MetricDataQueries": []}, [("cloudwatch:GetMetricData", "*")]),
        ("GetDashboard", {"DashboardName": "a"}, [("cloudwatch:GetDashboard", "arn:aws:cloudwatch::1:dashboard/a")]),
        (
            "DeleteAlarms",
            {"AlarmNames": ["a", "b"]},
            [("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:r:1:alarm:{name}") for name in "ab"],
        ),
        (
            "PutMetricAlarm",
            {"AlarmName": "a", "Tags": [{}]},
            [(f"cloudwatch:{each}", "arn:aws:cloudwatch:r:1:alarm:a") for each in ("PutMetricAlarm", "TagResource")],
        ),
        ("TagResource", {"ResourceARN": "arn", "Tags": [{}]}, [("cloudwatch:TagResource", "arn")]),
    ],
)
def test_what_a_call_requires(operation: str, request_: dict[str, Any], required: list[tuple[str, str]]) -> None:
    found = requirements(operation, request_, region="r", account_id="1")
    assert required == [(each.action, each.resource) for each in found]


def test_policies_can_go_by_the_namespace_that_values_are_put_into() -> None:
    (required,) = requirements("PutMetricData", {"Namespace": "Shop"}, region="r", account_id="1")
    assert {"cloudwatch:namespace": ("Shop",)} == required.context
