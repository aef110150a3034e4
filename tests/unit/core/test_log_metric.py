"""What a metric filter measures in a line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moorage.core.log_metrics import InvalidLogMetric, read_log_metric
from moorage.core.metrics.metric import MetricKey


def transformation(value: str = "1", **more: Any) -> dict[str, Any]:
    return {"metricNamespace": "App", "metricName": "Errors", "metricValue": value, **more}


def measured(pattern: str, message: str, value: str = "1", **more: Any) -> tuple[dict[str, str], float] | None:
    metric = read_log_metric("us-east-1", pattern, transformation(value, **more))
    found = metric.measure(message)
    if found is None:
        return None
    assert ("us-east-1", "App", "Errors") == found[0][:3]
    return dict(found[0].dimensions), found[1]


@pytest.mark.parametrize(
    ("pattern", "message", "more", "expected"),
    [
        ("ERROR", "ERROR", {}, ({}, 1.0)),
        ("ERROR", "INFO", {}, None),
        ("ERROR", "ERROR", {"value": "2.5"}, ({}, 2.5)),
        ("ERROR", "INFO", {"defaultValue": 0.0}, ({}, 0.0)),
        ("[ip, size]", "10.0.0.1 1534", {"value": "$size"}, ({}, 1534.0)),
        ("[ip, size]", "10.0.0.1 large", {"value": "$size"}, None),
        ("[ip, size]", "10.0.0.1 1534", {"dimensions": {"Ip": "$ip"}}, ({"Ip": "10.0.0.1"}, 1.0)),
        ("{ $.ms > 5 }", '{"ms": 7.5}', {"value": "$.ms"}, ({}, 7.5)),
        ("{ $.ms > 5 }", '{"ms": 7.5}', {"value": "$.other"}, None),
        ("{ $.ms > 5 }", '{"ms": 7, "who": "a"}', {"dimensions": {"Who": "$.who"}}, ({"Who": "a"}, 1.0)),
        ("{ $.ms > 5 }", '{"ms": 7}', {"dimensions": {"Who": "$.who"}}, None),
        ("{ $.ms > 5 }", '{"ms": 1e110}', {"value": "$.ms"}, None),
        ("[ip, size]", "10.0.0.1 1_534", {"value": "$size"}, None),
        ("[ip, size]", "10.0.0.1 inf", {"value": "$size"}, None),
        ("{ $.who = * }", '{"who": "Zoë"}', {"dimensions": {"Who": "$.who"}}, None),
        ("{ $.who = * }", '{"who": "a\\nb"}', {"dimensions": {"Who": "$.who"}}, None),
        ("{ $.who = * }", '{"who": "  "}', {"dimensions": {"Who": "$.who"}}, None),
        ("{ $.who = * }", json.dumps({"who": "x" * 1025}), {"dimensions": {"Who": "$.who"}}, None),
        ("{ $.who = * }", '{"who": "a b"}', {"dimensions": {"Who": "$.who"}}, ({"Who": "a b"}, 1.0)),
    ],
)
def test_measuring(
    pattern: str, message: str, more: dict[str, Any], expected: tuple[dict[str, str], float] | None
) -> None:
    assert expected == measured(pattern, message, **more)


def test_the_unit() -> None:
    metric = read_log_metric("us-east-1", "", transformation(unit="Bytes"))
    assert ("Bytes", MetricKey("us-east-1", "App", "Errors")) == (metric.unit, metric.key)


@pytest.mark.parametrize(
    ("pattern", "more", "message"),
    [
        ("ERROR", {"value": "many"}, "metricValue must be a number, or name one in the line: $field or $.property."),
        ("ERROR", {"value": "nan"}, "metricValue must be a number, or name one in the line: $field or $.property."),
        ("ERROR", {"value": "$size"}, "$size is nothing that the filter pattern names in a line."),
        ("[ip]", {"value": "$size"}, "$size is nothing that the filter pattern names in a line."),
        ("{ $.a = 1 }", {"value": "$size"}, "$size is nothing that the filter pattern names in a line."),
        (
            "[ip]",
            {"dimensions": {"Ip": "ip"}},
            "The value of a dimension must name something in the line: $field or $.property.",
        ),
        (
            "[a, b, c, d]",
            {"dimensions": {name: f"${name}" for name in "abcd"}},
            "A metric filter can have 3 dimensions at most.",
        ),
        (
            "[ip]",
            {"dimensions": {"Ip": "$ip"}, "defaultValue": 0.0},
            "defaultValue cannot be given together with dimensions.",
        ),
        ("", {"defaultValue": float("nan")}, "defaultValue must be in the range of -2^360 to 2^360."),
        ("", {"defaultValue": -1e300}, "defaultValue must be in the range of -2^360 to 2^360."),
        (
            "ERROR",
            {"value": "1e300"},
            "metricValue must be a number, or name one in the line: $field or $.property.",
        ),
        (
            "[ip]",
            {"dimensions": {":Ip": "$ip"}},
            "The name of a dimension must be printable ASCII and not begin with a colon.",
        ),
        ("", {"metricNamespace": "AWS/SageMaker"}, "metricNamespace must not start with 'AWS/'."),
    ],
)
def test_refused(pattern: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidLogMetric) as caught:
        read_log_metric("us-east-1", pattern, transformation() | {"metricValue": more.pop("value", "1")} | more)
    assert message == str(caught.value)
