"""What an alarm tells a topic, as CloudWatch's receivers read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from moorage.core.alarms.model import Alarm, AlarmKey, AlarmState, StateValue, changed, new_alarm
from moorage.core.notifications.alarm_message import alarm_subject, alarm_text

AT: Final = datetime(2026, 11, 21, 14, 5, 3, 250_000, tzinfo=UTC)
ACCOUNT_ID: Final = "123456789012"
TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:calls"
ON_ERRORS: Final = {
    "AlarmName": "errors",
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "Variant", "Value": "a"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": [TOPIC],
}


def told(definition: dict[str, Any], *, region: str = "us-east-1", reason_data: str | None = None) -> tuple[Alarm, Any]:
    """The alarm after it began to ring, and what it says."""
    alarm = new_alarm(AlarmKey(region, "errors"), definition, account_id=ACCOUNT_ID, now=AT)
    after = changed(alarm, StateValue.ALARM, reason="because", reason_data=reason_data, now=AT)
    return after, json.loads(alarm_text(after, alarm.state, after.state, account_id=ACCOUNT_ID))


def test_a_metric_alarm_says_what_cloudwatch_says() -> None:
    _, message = told(ON_ERRORS)
    assert {
        "AlarmName": "errors",
        "AlarmDescription": None,
        "AWSAccountId": ACCOUNT_ID,
        "AlarmConfigurationUpdatedTimestamp": "2026-11-21T14:05:03.250+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "because",
        "StateChangeTime": "2026-11-21T14:05:03.250+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors",
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Errors",
            "Namespace": "Shop",
            "Unit": None,
            "Dimensions": [{"value": "a", "name": "Variant"}],
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Period": 60,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 2,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5.0,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    } == message


def test_an_alarm_on_an_expression_lists_its_queries() -> None:
    metric = {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": [{"Name": "Variant", "Value": "a"}]}
    queries = [
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "p90"}, "ReturnData": False},
        {"Id": "e", "Expression": "m * 2"},
    ]
    plain = {name: value for name, value in ON_ERRORS.items() if name in ("EvaluationPeriods", "Threshold")}
    _, message = told({**plain, "ComparisonOperator": "GreaterThanThreshold", "Metrics": queries})
    first, second = message["Trigger"]["Metrics"]
    assert ([{"value": "a", "name": "Variant"}], False) == (
        first["MetricStat"]["Metric"]["Dimensions"],
        first["ReturnData"],
    )
    assert {"Id": "e", "Expression": "m * 2", "ReturnData": True} == second
    assert 300 == message["Trigger"]["Period"]


def test_a_composite_alarm_names_the_alarms_that_rang() -> None:
    child = {"arn": "arn:child", "state": {"value": "ALARM", "timestamp": "2026-11-21T14:05:00.000+0000"}}
    data = json.dumps({"triggeringAlarms": [child]})
    _, message = told({"AlarmRule": "ALARM(child)"}, reason_data=data)
    assert "ALARM(child)" == message["AlarmRule"]
    assert [{"Arn": "arn:child", "State": {"Value": "ALARM", "Timestamp": "2026-11-21T14:05:00.000+0000"}}] == message[
        "TriggeringChildren"
    ]
    assert "Trigger" not in message


def test_the_subject_fits_into_a_line() -> None:
    alarm, _ = told(ON_ERRORS)
    assert 'ALARM: "errors" in US East (N. Virginia)' == alarm_subject(alarm, alarm.state)
    abroad, _ = told(ON_ERRORS, region="ap-east-1")
    assert 'ALARM: "errors" in ap-east-1' == alarm_subject(abroad, abroad.state)
    long = new_alarm(AlarmKey("us-east-1", "a" * 255), ON_ERRORS, account_id=ACCOUNT_ID, now=AT)
    state = AlarmState(StateValue.OK, "", None, AT, AT)
    assert 100 == len(alarm_subject(long, state))
