"""Alarms through botocore, in each of CloudWatch's protocols: definitions, lists, states, history, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.part import Needs
from moorage.api.server import Api
from moorage.api.tokens import PageTokens
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.protocols import speaking

NOW: Final = datetime.now(UTC).replace(microsecond=0)
TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:calls"
POLICY: Final = (
    "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1d0e6a0e-0c1a-4d0e-8f0a-1f2e3d4c5b6a:"
    "resource/sagemaker/endpoint/e/variant/v:policyName/p"
)
FUNCTION: Final = "arn:aws:lambda:us-east-1:123456789012:function:f"
TAKEN: Final = "alarms notify SNS topics or carry out scaling policies"
STAT: Final = {"Metric": {"Namespace": "Shop", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
EXPRESSION: Final = [
    {"Id": "m", "MetricStat": STAT, "ReturnData": False},
    {"Id": "e", "Expression": "m * 2", "ReturnData": True},
]


ARN: Final = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT_ID}"
SUPPRESSED_FOR: Final = {"ActionsSuppressorWaitPeriod": 0, "ActionsSuppressorExtensionPeriod": 0}
NO_METRIC: Final[dict[str, Any]] = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))


class SteppingClock(SystemClock):
    """A second later each time it is looked at."""

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> datetime:
        self._looks += 1
        return NOW + timedelta(seconds=self._looks)


class World:
    """The service, and how often alarms were woken."""

    def __init__(self) -> None:
        self.woken = 0
        metrics = MemoryMetrics()
        self.service = CloudWatch(
            Needs(
                store=MemoryStore(),
                clock=SteppingClock(),
                account_id=ACCOUNT_ID,
                metrics=metrics,
                sink=metrics,
                tokens=PageTokens(b"key"),
                wake_alarms=self._wake,
            )
        )

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["json", "query", "smithy-rpc-v2-cbor"])
def spoken(request: pytest.FixtureRequest, world: World) -> Iterator[Any]:
    with InProcess(Api([world.service], root_key_ring, clock=SystemClock())) as aws:
        yield speaking(aws.client("cloudwatch"), request.param)


@pytest.fixture
def cloudwatch(world: World) -> Iterator[Any]:
    with InProcess(Api([world.service], root_key_ring, clock=SystemClock())) as aws:
        yield aws.client("cloudwatch")


def put(cloudwatch: Any, name: str = "errors", **changes: Any) -> None:
    """An alarm; members that are None are left out."""
    members = {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }
    cloudwatch.put_metric_alarm(
        AlarmName=name, **{member: value for member, value in members.items() if value is not None}
    )


def refusal(cloudwatch: Any, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        getattr(cloudwatch, operation)(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def names(answer: Any) -> list[str]:
    return [alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, ())]


def test_an_alarm_comes_back_as_it_was_put(world: World, spoken: Any) -> None:
    dimensions = [{"Name": "VariantName", "Value": "a b"}]
    put(
        spoken,
        AlarmDescription="too many",
        Dimensions=dimensions,
        AlarmActions=[TOPIC, POLICY],
        TreatMissingData="notBreaching",
        DatapointsToAlarm=2,
        EvaluationPeriods=3,
        Unit="Count",
    )

    [alarm] = spoken.describe_alarms(AlarmNames=["errors", "gone"])["MetricAlarms"]

    assert NOW <= alarm["AlarmConfigurationUpdatedTimestamp"] == alarm["StateUpdatedTimestamp"]
    expected = {
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors",
        "AlarmDescription": "too many",
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC, POLICY],
        "OKActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "Dimensions": dimensions,
        "Threshold": 5.0,
        "DatapointsToAlarm": 2,
        "EvaluationPeriods": 3,
        "TreatMissingData": "notBreaching",
        "Unit": "Count",
    }
    assert expected == {member: alarm[member] for member in expected}
    assert 1 == world.woken


def test_another_definition_leaves_the_state_and_the_tags(world: World, cloudwatch: Any) -> None:
    put(cloudwatch, Tags=[{"Key": "team", "Value": "shop"}])
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    put(cloudwatch, Threshold=9.0, AlarmDescription=None, Tags=[{"Key": "team", "Value": "other"}])
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (9.0, "ALARM", "a test") == (alarm["Threshold"], alarm["StateValue"], alarm["StateReason"])
    assert [{"Key": "team", "Value": "shop"}] == cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])[
        "Tags"
    ]
    assert 3 == world.woken


def test_an_expression_can_be_watched(spoken: Any) -> None:
    put(spoken, "twice", **NO_METRIC, Metrics=EXPRESSION)
    [alarm] = spoken.describe_alarms()["MetricAlarms"]
    assert ["m * 2"] == [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    assert "MetricName" not in alarm


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Period": 7}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 1}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 90}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": None}, "The parameter Period is required unless Metrics is specified."),
        ({"MetricName": None}, "The parameter MetricName is required unless Metrics is specified."),
        (
            {"EvaluationPeriods": 1441},
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ),
        (
            {"Period": 3600, "EvaluationPeriods": 169},
            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800).",
        ),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods."),
        ({"Threshold": None}, "The parameter Threshold is required."),
        ({"Statistic": None}, "Either Statistic or ExtendedStatistic must be specified."),
        ({"ExtendedStatistic": "p90"}, "The parameters Statistic and ExtendedStatistic are mutually exclusive."),
        (
            {"Statistic": None, "ExtendedStatistic": "p101"},
            "The value p101 for parameter ExtendedStatistic is not supported.",
        ),
        (
            {"TreatMissingData": "zero"},
            "TreatMissingData must be one of missing, ignore, breaching, notBreaching, not zero.",
        ),
        (
            {"EvaluateLowSampleCountPercentile": "ignore"},
            "EvaluateLowSampleCountPercentile is only for alarms on a percentile.",
        ),
        ({"AlarmActions": ["calls"]}, "Invalid arn syntax: calls"),
        (
            {"OKActions": [TOPIC.replace("us-east-1", "eu-west-1")]},
            "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
        ),
        (
            {"AlarmActions": [FUNCTION]},
            f"Moorage does not support the action {FUNCTION} in AlarmActions: {TAKEN}.",
        ),
        (
            {"ComparisonOperator": "GreaterThanUpperThreshold"},
            "Moorage does not support anomaly detection, and so not the ComparisonOperator GreaterThanUpperThreshold.",
        ),
        ({"EvaluationInterval": 60}, "Moorage does not support EvaluationInterval."),
        ({"Metrics": EXPRESSION}, "The parameters Metrics and Namespace are mutually exclusive."),
    ],
)
def test_a_definition_that_breaks_a_rule_is_refused(cloudwatch: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        put(cloudwatch, **changes)
    assert ("ValidationError", message) == tuple(caught.value.response["Error"][part] for part in ("Code", "Message"))
    assert [] == names(cloudwatch.describe_alarms())


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([{**EXPRESSION[0], "ReturnData": True}, EXPRESSION[1]], "Exactly one element of the metrics list"),
        ([EXPRESSION[0]], "Exactly one element of the metrics list"),
        ([{"Id": "e", "Expression": "1 + 1"}], "at least one MetricStat"),
        ([EXPRESSION[0], {"Id": "e", "Expression": "m *"}], "e"),
        ([EXPRESSION[0], {"Id": "e", "Expression": "[m, m]"}], "e"),
        (
            [EXPRESSION[0], {"Id": "n", "MetricStat": {**STAT, "Period": 300}, "ReturnData": False}, EXPRESSION[1]],
            "Period must be the same for all metrics",
        ),
        ([EXPRESSION[0], {**EXPRESSION[1], "Period": 300}], "Period must be the same for all metrics and expressions"),
    ],
)
def test_an_expression_that_cannot_be_watched_is_refused(
    cloudwatch: Any, metrics: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        put(cloudwatch, **NO_METRIC, Metrics=metrics)


def test_an_expression_may_say_the_period_that_it_has(cloudwatch: Any) -> None:
    put(cloudwatch, **NO_METRIC, Metrics=[EXPRESSION[0], {**EXPRESSION[1], "Period": 60}])
    assert ["errors"] == names(cloudwatch.describe_alarms())


def test_lists_are_by_name_and_can_be_narrowed(spoken: Any) -> None:
    for name in ("shop-b", "shop-a", "store"):
        put(spoken, name, AlarmActions=[TOPIC] if name == "store" else [])
    spoken.set_alarm_state(AlarmName="shop-b", StateValue="OK", StateReason="")
    spoken.put_composite_alarm(AlarmName="any", AlarmRule="ALARM(shop-a) OR ALARM(shop-b)")

    assert ["shop-a", "shop-b", "store"] == names(spoken.describe_alarms())
    assert ["shop-a", "shop-b"] == names(spoken.describe_alarms(AlarmNamePrefix="shop"))
    assert ["shop-b"] == names(spoken.describe_alarms(StateValue="OK"))
    assert ["store"] == names(spoken.describe_alarms(ActionPrefix="arn:aws:sns:"))
    assert ["any"] == names(spoken.describe_alarms(AlarmTypes=["CompositeAlarm"]))
    assert ["shop-a", "shop-b"] == names(spoken.describe_alarms(ChildrenOfAlarmName="any"))
    assert ["any"] == names(spoken.describe_alarms(ParentsOfAlarmName="shop-a"))
    assert ["shop-a", "shop-b", "store"] == names(
        spoken.describe_alarms_for_metric(Namespace="Shop", MetricName="Errors")
    )
    assert [] == names(spoken.describe_alarms_for_metric(Namespace="Shop", MetricName="Errors", Period=300))


def test_lists_come_in_pages(spoken: Any) -> None:
    for number in range(5):
        put(spoken, f"a{number}")
    pages = spoken.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    assert [["a0", "a1"], ["a2", "a3"], ["a4"]] == [names(page) for page in pages]
    token = spoken.describe_alarms(MaxRecords=2)["NextToken"]
    assert "InvalidNextToken" == refusal(spoken, "describe_alarms", NextToken=token, StateValue="OK")[0]


def test_a_state_that_is_set_is_kept_with_its_history(world: World, spoken: Any) -> None:
    put(spoken, AlarmActions=[TOPIC])
    data = json.dumps({"version": "1.0"})
    spoken.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test", StateReasonData=data)
    spoken.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="again")

    [alarm] = spoken.describe_alarms()["MetricAlarms"]
    assert ("ALARM", "again") == (alarm["StateValue"], alarm["StateReason"])
    assert alarm["StateTransitionedTimestamp"] < alarm["StateUpdatedTimestamp"]
    items = spoken.describe_alarm_history(AlarmName="errors", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert ["Alarm updated from INSUFFICIENT_DATA to ALARM"] == [item["HistorySummary"] for item in items]
    new = json.loads(items[0]["HistoryData"])["newState"]
    assert {"stateValue": "ALARM", "stateReason": "a test", "stateReasonData": {"version": "1.0"}} == new
    assert ("ResourceNotFound", "Could not find alarm gone.") == refusal(
        spoken, "set_alarm_state", AlarmName="gone", StateValue="OK", StateReason=""
    )
    wrong = {"AlarmName": "errors", "StateValue": "OK", "StateReason": "", "StateReasonData": "{"}
    assert "InvalidFormat" == refusal(spoken, "set_alarm_state", **wrong)[0]


def test_history_comes_in_pages_in_both_orders_and_outlives_the_alarm(cloudwatch: Any) -> None:
    put(cloudwatch)
    put(cloudwatch, "other")
    for value in ("OK", "ALARM"):
        cloudwatch.set_alarm_state(AlarmName="errors", StateValue=value, StateReason="")
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    expected = [
        'Alarm "errors" created',
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        'Alarm "errors" deleted',
    ]
    for scan_by, ordered in (("TimestampAscending", expected), ("TimestampDescending", expected[::-1])):
        pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName="errors", ScanBy=scan_by, PaginationConfig={"PageSize": 3}
        )
        assert ordered == [item["HistorySummary"] for page in pages for item in page["AlarmHistoryItems"]]
    everything = cloudwatch.describe_alarm_history(EndDate=NOW + timedelta(hours=1))["AlarmHistoryItems"]
    assert {"errors", "other"} == {item["AlarmName"] for item in everything}
    assert [] == cloudwatch.describe_alarm_history(EndDate=NOW - timedelta(hours=1))["AlarmHistoryItems"]


def test_actions_are_switched_off_and_on(spoken: Any) -> None:
    put(spoken)
    spoken.disable_alarm_actions(AlarmNames=["errors", "gone"])
    assert spoken.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is False
    spoken.enable_alarm_actions(AlarmNames=["errors"])
    assert spoken.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is True


def test_alarms_are_deleted_unless_others_go_by_them(spoken: Any) -> None:
    put(spoken)
    put(spoken, "other")
    spoken.put_composite_alarm(AlarmName="any", AlarmRule="ALARM(errors)")
    assert (
        "ValidationError",
        "Cannot delete errors as there are composite alarm(s) depending on it: any.",
    ) == refusal(spoken, "delete_alarms", AlarmNames=["errors", "other"])
    assert ["errors", "other"] == names(spoken.describe_alarms())
    spoken.delete_alarms(AlarmNames=["any", "errors"])
    assert ["other"] == names(spoken.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"]))


def test_names_of_no_alarm_are_told_and_the_others_deleted(spoken: Any) -> None:
    put(spoken)
    put(spoken, "other")
    assert ("ResourceNotFound", "Could not find alarm gone, away.") == refusal(
        spoken, "delete_alarms", AlarmNames=["gone", "errors", "away"]
    )
    assert ["other"] == names(spoken.describe_alarms())


def test_history_is_that_of_metric_alarms_unless_it_is_said(spoken: Any) -> None:
    put(spoken)
    spoken.put_composite_alarm(AlarmName="any", AlarmRule="ALARM(errors)")

    def told(**request: Any) -> list[str]:
        return [item["AlarmName"] for item in spoken.describe_alarm_history(**request)["AlarmHistoryItems"]]

    assert ["errors"] == told()
    assert [] == told(AlarmName="any")
    assert ["any"] == told(AlarmName="any", AlarmTypes=["CompositeAlarm"])
    assert ["any", "errors"] == sorted(told(AlarmTypes=["CompositeAlarm", "MetricAlarm"]))


def test_composite_alarms_come_back_as_they_were_put(spoken: Any) -> None:
    put(spoken)
    rule = 'ALARM("errors") AND NOT FALSE'
    spoken.put_composite_alarm(AlarmName="any", AlarmRule=rule, AlarmActions=[TOPIC])
    [alarm] = spoken.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert (rule, [TOPIC], "INSUFFICIENT_DATA") == (alarm["AlarmRule"], alarm["AlarmActions"], alarm["StateValue"])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"AlarmRule": "ALARM(errors"}, "AlarmRule contains invalid syntax at 'ALARM(errors'."),
        ({"AlarmRule": "ALARM(gone)"}, "alarm gone in the alarm rule does not exist"),
        ({"AlarmRule": f"ALARM({ARN}:alarm:gone)"}, "alarm gone in the alarm rule does not exist"),
        ({"AlarmRule": f"OK({ARN.replace('us-east-1', 'eu-west-1')}:alarm:errors)"}, "of another account or region"),
        ({"AlarmRule": f"OK({ARN.replace(ACCOUNT_ID, '999999999999')}:alarm:errors)"}, "of another account or region"),
        (
            {"AlarmRule": "TRUE", "ActionsSuppressor": "gone", **SUPPRESSED_FOR},
            "alarm gone in ActionsSuppressor does not exist",
        ),
        (
            {"AlarmRule": "TRUE", "ActionsSuppressor": "arn:aws:sns:us-east-1:123456789012:errors", **SUPPRESSED_FOR},
            "in ActionsSuppressor is of another account or region",
        ),
        ({"AlarmRule": "ALARM(any)"}, "leads back to the alarm itself"),
        ({"AlarmRule": "ALARM(upper)"}, "leads back to the alarm itself"),
        ({"AlarmRule": "TRUE", "AlarmActions": [POLICY]}, "composite ones carry out no scaling policies"),
        ({"AlarmRule": "TRUE", "ActionsSuppressor": "errors"}, "must be specified together"),
        ({"AlarmName": "errors", "AlarmRule": "TRUE"}, "cannot become one of another kind"),
    ],
)
def test_a_composite_that_breaks_a_rule_is_refused(cloudwatch: Any, request_: dict[str, Any], message: str) -> None:
    put(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule="ALARM(errors)")
    cloudwatch.put_composite_alarm(AlarmName="upper", AlarmRule="ALARM(any)")
    code, said = refusal(cloudwatch, "put_composite_alarm", **{"AlarmName": "any", **request_})
    assert "ValidationError" == code
    assert message in said


def test_a_composite_names_alarms_by_arn_as_well(spoken: Any) -> None:
    put(spoken)
    suppressor = {"ActionsSuppressor": f"{ARN}:alarm:errors", **SUPPRESSED_FOR}
    spoken.put_composite_alarm(AlarmName="any", AlarmRule=f'ALARM("{ARN}:alarm:errors")', **suppressor)
    assert ["errors"] == names(spoken.describe_alarms(ChildrenOfAlarmName="any"))


@pytest.mark.parametrize("data", ["{", '{"value": NaN}', '{"value": 1e999}', "[" * 1999 + "]" * 1999])
def test_what_a_state_is_given_with_it_is_json(cloudwatch: Any, data: str) -> None:
    put(cloudwatch)
    state = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "so", "StateReasonData": data}
    assert "InvalidFormat" == refusal(cloudwatch, "set_alarm_state", **state)[0]


def test_regions_do_not_see_each_other(world: World) -> None:
    with InProcess(Api([world.service], root_key_ring, clock=SystemClock())) as aws:
        put(aws.client("cloudwatch", region="eu-west-1"))
        assert [] == names(aws.client("cloudwatch").describe_alarms())
