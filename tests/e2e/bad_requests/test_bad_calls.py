"""What is not HTTP, and what control refuses: status, code, form of the body, and whether the connection stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from moorage.testing.raw_caller import Heard, RawCaller
from moorage.testing.server import RunningMoorage

pytestmark = pytest.mark.slow

HEAD: Final = b"POST /endpoints/bad/invocations HTTP/1.1\r\nHost: h\r\n"
FRAMING: Final = [
    (400, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
    (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (400, b"GET /\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: h\r\na: \x00\r\n\r\n"),
    (400, HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (501, HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    (400, HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    *(
        (400, HEAD + b"Content-Length: %b\r\n\r\n" % length)
        for length in (b"-1", b"+5", b"5,5", b"0x5", b"", b"9" * 30)
    ),
    (400, HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    (413, HEAD + b"Content-Length: 99999999999\r\n\r\n"),
    (413, HEAD + b"Content-Length: 6291457\r\n\r\n"),
    (413, HEAD + b"Content-Length: 6291457\r\nExpect: 100-continue\r\n\r\n"),
    (417, HEAD + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n{}"),
    (414, b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * 9000)),
    (431, b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % (b"a: b\r\n" * 101)),
    (431, b"GET / HTTP/1.1\r\nHost: h\r\na: %b\r\n\r\n" % (b"b" * 66_000)),
    (405, b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"),
    (405, b"CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n"),
]


@pytest.mark.parametrize(("status", "request_"), FRAMING, ids=[f"{row[0]}-{i}" for i, row in enumerate(FRAMING)])
def test_what_is_not_http_is_refused_and_the_connection_closed(
    ask: Callable[[bytes], Heard], status: int, request_: bytes
) -> None:
    heard = ask(request_)

    assert (status, False) == (heard.status, heard.is_kept)
    assert len(heard.body) < 512


CONTROL: Final[list[tuple[str, str, bytes | dict[str, Any]]]] = [
    ("UnknownOperationException", "CreateNothing", b"{}"),
    ("SerializationException", "ListEndpoints", b"{"),
    ("SerializationException", "ListEndpoints", b"[]"),
    ("SerializationException", "ListEndpoints", b"\xff"),
    ("SerializationException", "ListEndpoints", b"[" * 100_000),
    ("SerializationException", "ListEndpoints", b'{"MaxResults":' * 5_000),
    ("SerializationException", "ListEndpoints", b'{"MaxResults":"1"}'),
    ("SerializationException", "ListEndpoints", b'{"MaxResults":NaN}'),
    ("SerializationException", "ListEndpoints", b'{"MaxResults":1e400}'),
    ("SerializationException", "ListEndpoints", b'{"NameContains":"\\ud800"}'),
    ("SerializationException", "ListEndpoints", {"CreationTimeAfter": "0001-01-01T00:00:00+23:59"}),
    ("SerializationException", "ListEndpoints", {"CreationTimeAfter": 1e300}),
    ("ValidationException", "ListEndpoints", {"MaxResults": 101}),
    ("ValidationException", "ListEndpoints", {"NextToken": "made-up"}),
    ("ValidationException", "ListEndpoints", {"StatusEquals": "Fine"}),
    ("ValidationException", "DescribeEndpoint", {}),
    ("ValidationException", "DescribeEndpoint", {"EndpointName": "../bad"}),
    ("ValidationException", "DescribeEndpoint", {"EndpointName": "é"}),
    ("ValidationException", "DescribeEndpoint", {"EndpointName": "bad\n"}),
    ("ValidationException", "DescribeEndpoint", {"EndpointName": "x" * 64}),
    ("ValidationException", "DescribeEndpoint", {"EndpointName": "absent"}),
    ("ValidationException", "CreateEndpoint", {"EndpointName": "BAD", "EndpointConfigName": "bad"}),
    ("ValidationException", "UpdateEndpoint", {"EndpointName": "bad", "EndpointConfigName": "absent"}),
    ("ValidationException", "DeleteEndpoint", {"EndpointName": "absent"}),
]


@pytest.mark.parametrize(("code", "operation", "body"), CONTROL, ids=[f"{row[1]}-{i}" for i, row in enumerate(CONTROL)])
def test_what_control_refuses(
    caller: RawCaller, ask: Callable[[bytes], Heard], code: str, operation: str, body: bytes | dict[str, Any]
) -> None:
    heard = ask(caller.written(caller.control(operation, body)))

    assert (400, code, True) == (heard.status, heard.code, heard.is_kept)
    assert json.loads(heard.body)["message"]


VARIANT: Final = {
    "VariantName": "A",
    "ModelName": "bad",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}


@pytest.mark.parametrize(
    ("said", "changes", "members"),
    [
        ("initialVariantWeight", {"InitialVariantWeight": "NaN"}, {}),
        ("initialVariantWeight", {"InitialVariantWeight": -1}, {}),
        ("weight of a variant must not exceed", {"InitialVariantWeight": "Infinity"}, {}),
        ("At least one variant must have a weight", {"InitialVariantWeight": 0}, {}),
        ("initialInstanceCount", {"InitialInstanceCount": 0}, {}),
        ("instanceType", {"InstanceType": "ml.imaginary"}, {}),
        ("'tags'", {}, {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}),
        ("Tag keys must be unique", {}, {"Tags": [{"Key": "k", "Value": ""}] * 2}),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_its_field(
    caller: RawCaller, ask: Callable[[bytes], Heard], said: str, changes: dict[str, Any], members: dict[str, Any]
) -> None:
    body = {"EndpointConfigName": "senseless", "ProductionVariants": [VARIANT | changes], **members}
    heard = ask(caller.written(caller.control("CreateEndpointConfig", body)))

    assert (400, "ValidationException") == (heard.status, heard.code)
    assert said in json.loads(heard.body)["message"]


def test_a_body_above_what_control_takes_is_refused(caller: RawCaller, ask: Callable[[bytes], Heard]) -> None:
    heard = ask(caller.written(caller.control("ListEndpoints", b" " * (1024 * 1024 + 1))))

    assert (413, "RequestEntityTooLargeException") == (heard.status, heard.code)


def test_regions_do_not_see_each_other(
    abused: RunningMoorage, caller: RawCaller, ask: Callable[[bytes], Heard]
) -> None:
    elsewhere = abused.client("sagemaker", region="eu-west-1")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        elsewhere.describe_endpoint(EndpointName="bad")
    assert [] == elsewhere.list_endpoints()["Endpoints"]

    heard = ask(caller.written(caller.invocation("bad", region="eu-west-1")))
    assert (400, "ValidationError") == (heard.status, heard.code)
    assert "Endpoint bad of account 123456789012 not found." == json.loads(heard.body)["Message"]
