"""Searches: the examples of the user guide."""

from __future__ import annotations

import pytest

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.search import parse_search
from moorage.core.metrics.metric import MetricKey, dimensions_of


def key(namespace: str, name: str, **dimensions: str) -> MetricKey:
    return MetricKey("us-east-1", namespace, name, dimensions_of(dimensions))


CPU = key("AWS/EC2", "CPUUtilization", InstanceId="i-1234567890123456")
MICRO = key("AWS/EC2", "NetworkPacketsIn", InstanceType="t2.micro")
COUNT = key("My Namespace", "CustomCount1")
FAILURE = key("AWS/Lambda", "SDBFailure", FunctionName="ProjectA")
NETWORK = key("Own", "Network-Errors-2", Place=r"Europe\France Traffic(Network)")
ALL = {"cpu": CPU, "micro": MICRO, "count": COUNT, "failure": FAILURE, "network": NETWORK}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', "cpu"),
        ('{AWS/EC2, InstanceId}, MetricName="CPUUtilization" ', "cpu"),
        ("{AWS/EC2}", "cpu micro"),
        ("{AWS/EC2, InstanceId, InstanceType}", ""),
        ('{"My Namespace"}', "count"),
        ("count", "count"),
        ("Count", "count"),
        ("COUNT", "count"),
        ("couNT", ""),
        ("CustomCount", "count"),
        ("CustomCount1", "count"),
        ('"CustomCount1"', "count"),
        ('"customcount1"', ""),
        ('"Custom"', ""),
        ("sdb", "failure"),
        ("network/errors", "network"),
        ("network+errors", "network"),
        ("Network_Errors", "network"),
        ('"Network-Errors-2"', "network"),
        ('"Network_Errors_2"', ""),
        (r'"Europe\\France Traffic\(Network\)"', "network"),
        ("InstanceType=micro", "micro"),
        ('InstanceType="t2.micro" Namespace="AWS/EC2"', "micro"),
        ("NOT Namespace=AWS", "count network"),
        ("network packets", "micro"),
        ("network AND packets", "micro"),
        ("cpu OR custom NOT ec2", "cpu count"),
        ("(cpu OR network) NOT ec2", "network"),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT i-1234567890123456', ""),
        ('MetricName="SDBFailure" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))', "failure"),
        ("NOT NOT cpu", "cpu"),
    ],
)
def test_a_search_finds(search: str, found: str) -> None:
    assert found.split() == [name for name, metric in ALL.items() if parse_search(search).matches(metric)]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("", "needs a metric schema or a search term"),
        ("{}", "Invalid metric schema"),
        ('{"a"b}', "Invalid metric schema"),
        ("(cpu", "Unbalanced"),
        ("cpu)", "Unbalanced"),
        ("cpu OR", "ends where a term is expected"),
        ("OR cpu", "OR where a term is expected"),
        ('cpu "a', "Invalid syntax"),
        ("---", "neither letters nor digits"),
        ("(" * 60 + "cpu" + ")" * 60, "nested too deeply"),
        ("x" * 1025, "1024 characters at most"),
    ],
)
def test_what_is_wrong_with_a_search_is_said(search: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_search(search)
