from dataclasses import dataclass

import pytest

from moorage.aws.errors import ServiceError
from moorage.gateway import target
from moorage.gateway.forward import end_to_end


@dataclass
class Asked:
    path: bytes
    method: bytes = b"POST"


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        (True, b"/endpoints/iris/invocations"),
        (True, b"/endpoints/iris/async-invocations"),
        (True, b"/endpoints/iris/invocations-response-stream"),
        (False, b"/endpoints/iris/invocations/"),
        (False, b"/endpoints/a/b/invocations"),
        (False, b"/endpoints//invocations"),
        (False, b"/bucket/endpoints/iris/invocations"),
        (False, b"/"),
    ],
)
def test_which_paths_are_invocations(expected: bool, path: bytes) -> None:
    assert expected == target.is_invocation(path)


@pytest.mark.parametrize(
    ("expected", "name"), [("iris", b"iris"), ("iris-2", b"iris%2D2"), ("Iris", b"%49ris"), ("a" * 63, b"a" * 63)]
)
def test_names_are_decoded(expected: str, name: bytes) -> None:
    assert expected == target.endpoint_name(Asked(b"/endpoints/" + name + b"/invocations"))


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("ValidationError", Asked(b"/endpoints/a_b/invocations")),
        ("ValidationError", Asked(b"/endpoints/a%2Fb/invocations")),
        ("ValidationError", Asked(b"/endpoints/%00/invocations")),
        ("ValidationError", Asked(b"/endpoints/%E9/invocations")),
        ("ValidationError", Asked(b"/endpoints/" + b"a" * 64 + b"/invocations")),
        ("UnknownOperationException", Asked(b"/endpoints/iris/invocations", b"GET")),
        ("UnknownOperationException", Asked(b"/endpoints/iris/async-invocations", b"PUT")),
        ("NotImplemented", Asked(b"/endpoints/iris/async-invocations")),
        ("NotImplemented", Asked(b"/endpoints/iris/invocations-response-stream")),
    ],
)
def test_what_cannot_be_invoked(code: str, asked: Asked) -> None:
    with pytest.raises(ServiceError) as caught:
        target.endpoint_name(asked)
    assert code == caught.value.code


def test_the_container_sees_a_fixed_list_of_headers() -> None:
    sent = [
        (b"host", b"moorage"),
        (b"authorization", b"AWS4-HMAC-SHA256 secret"),
        (b"cookie", b"a"),
        (b"content-type", b"text/csv"),
        (b"accept", b"application/json"),
        (b"x-amz-security-token", b"t"),
        (b"x-amzn-sagemaker-custom-attributes", b"c"),
        (b"x-amzn-sagemaker-inference-id", b"i"),
        (b"x-amzn-sagemaker-target-variant", b"v"),
    ]
    passed = dict(target.container_headers(sent))
    assert {
        b"content-type",
        b"accept",
        b"x-amzn-sagemaker-custom-attributes",
        b"x-amzn-sagemaker-inference-id",
        b"Host",
    } == set(passed)
    assert b"localhost:8080" == passed[b"Host"]


def test_the_caller_sees_a_fixed_list_of_headers() -> None:
    said = [
        (b"content-type", b"text/csv"),
        (b"set-cookie", b"a"),
        (b"x-amzn-requestid", b"forged"),
        (b"x-amzn-invoked-production-variant", b"forged"),
        (b"x-amzn-errortype", b"forged"),
        (b"x-amzn-sagemaker-custom-attributes", b"c"),
        (b"connection", b"close"),
        (b"location", b"http://elsewhere"),
    ]
    assert [
        (b"Content-Type", b"text/csv"),
        (b"X-Amzn-SageMaker-Custom-Attributes", b"c"),
        (b"x-Amzn-Invoked-Production-Variant", b"v"),
        (b"x-amzn-RequestId", b"r"),
    ] == target.caller_headers(said, variant=b"v", request_id=b"r")


@pytest.mark.parametrize(
    "header",
    [
        b"x-amzn-sagemaker-target-model",
        b"x-amzn-sagemaker-target-container-hostname",
        b"x-amzn-sagemaker-inference-component",
        b"x-amzn-sagemaker-session-id",
    ],
)
def test_wishes_that_no_endpoint_fulfils(header: bytes) -> None:
    refusal = target.refusal([(b"host", b"a"), (header, b"m")], "iris")
    assert refusal is not None
    assert "ValidationError" == refusal.code


def test_what_concerns_one_connection_is_not_forwarded() -> None:
    fields = [
        (b"host", b"a"),
        (b"connection", b"X-Own, keep-alive"),
        (b"x-own", b"1"),
        (b"keep-alive", b"5"),
        (b"transfer-encoding", b"chunked"),
        (b"content-length", b"5"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"x-amz-date", b"d"),
        (b"expect", b"100-continue"),
    ]
    assert [(b"host", b"a"), (b"x-amz-date", b"d"), (b"expect", b"100-continue")] == end_to_end(fields)


@pytest.mark.parametrize(
    ("expected", "name", "length"),
    [
        (None, b"x-amzn-sagemaker-custom-attributes", 1024),
        ("customAttributes", b"x-amzn-sagemaker-custom-attributes", 1025),
        (None, b"x-amzn-sagemaker-inference-id", 64),
        ("inferenceId", b"x-amzn-sagemaker-inference-id", 65),
    ],
)
def test_headers_have_the_lengths_of_the_api(expected: str | None, name: bytes, length: int) -> None:
    refusal = target.refusal([(name, b"a" * length)], "iris")
    assert (expected is not None) == (refusal is not None)
    if refusal is not None:
        assert f"at '{expected}'" in refusal.message


def test_a_name_too_long_is_told_so() -> None:
    with pytest.raises(ServiceError, match="less than or equal to 63"):
        target.endpoint_name(Asked(b"/endpoints/" + b"a" * 64 + b"/invocations"))
