from collections.abc import Callable

import pytest

from moorage.aws.errors import ServiceError
from moorage.gateway import target
from moorage.gateway.forward import end_to_end
from moorage.gateway.target import Operation
from moorage.wire.messages import HeaderList
from moorage.wire.request import ServerRequest

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def asked(headers: HeaderList) -> ServerRequest:
    return ServerRequest(
        b"POST",
        b"/endpoints/iris/invocations",
        headers,
        dict(headers),
        content_length=3,
        http_11=True,
        keep_alive=True,
        expect=None,
    )


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        (Operation.INVOKE, b"/endpoints/iris/invocations"),
        (Operation.ASYNC, b"/endpoints/iris/async-invocations"),
        (Operation.STREAM, b"/endpoints/iris/invocations-response-stream"),
        (Operation.INVOKE, b"/endpoints/" + b"a" * 4_000 + b"/invocations"),
        (None, b"/endpoints/iris/invocations/"),
        (None, b"/endpoints/a/b/invocations"),
        (None, b"/endpoints//invocations"),
        (None, b"/bucket/endpoints/iris/invocations"),
        (None, b"/"),
    ],
)
def test_which_paths_are_invocations(expected: Operation | None, path: bytes) -> None:
    address = target.address_of(path)
    assert expected == (address.operation if address else None)


@pytest.mark.parametrize(
    ("expected", "name"), [("iris", b"iris"), ("iris-2", b"iris%2D2"), ("Iris", b"%49ris"), ("a" * 63, b"a" * 63)]
)
def test_names_are_decoded(expected: str, name: bytes) -> None:
    assert expected == target.endpoint_name(name)


@pytest.mark.parametrize("name", [b"a_b", b"a%2Fb", b"%00", b"%E9", b"a" * 64, b"a" * 4_000])
def test_names_that_no_endpoint_has(name: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        target.endpoint_name(name)
    assert "ValidationError" == caught.value.code


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
    expected = (
        b"POST /invocations HTTP/1.1\r\nHost: localhost:8080\r\n"
        b"content-type: text/csv\r\naccept: application/json\r\n"
        b"x-amzn-sagemaker-custom-attributes: c\r\nx-amzn-sagemaker-inference-id: i\r\n"
        b"X-Amzn-RequestId: r-1\r\ncontent-length: 3\r\n\r\n"
    )
    assert expected == target.container_request(asked(sent), b"1,2", request_id="r-1")


@pytest.mark.parametrize("make_head", [target.container_request, target.container_stream_request])
def test_the_container_sees_a_trace_context_that_is_one(make_head: Callable[..., bytes]) -> None:
    state = [(b"tracestate", b"a=1"), (b"tracestate", b"b=2")]
    head = make_head(asked([(b"traceparent", PARENT), *state]), b"", request_id="r-1")
    assert b"traceparent: %b\r\ntracestate: a=1,b=2\r\n" % PARENT in head
    for parents in ([], [b"00-none"], [PARENT, PARENT]):
        sent = [*((b"traceparent", parent) for parent in parents), *state]
        assert b"trace" not in make_head(asked(sent), b"", request_id="r-1")


def test_the_container_sees_every_value_of_a_repeated_header() -> None:
    sent = [(b"accept", b"text/csv"), (b"cookie", b"a"), (b"accept", b"*/*")]
    head = target.container_request(asked(sent), b"", request_id="r-1")
    assert b"accept: text/csv\r\naccept: */*\r\n" in head
    assert b"cookie" not in head


def test_the_caller_sees_a_fixed_list_of_headers() -> None:
    said = {
        b"content-type": b"text/csv",
        b"set-cookie": b"a",
        b"x-amzn-requestid": b"forged",
        b"x-amzn-invoked-production-variant": b"forged",
        b"x-amzn-errortype": b"forged",
        b"x-amzn-sagemaker-custom-attributes": b"c",
        b"connection": b"close",
        b"location": b"http://elsewhere",
    }
    expected = (
        b"Content-Type: text/csv\r\nX-Amzn-SageMaker-Custom-Attributes: c\r\n"
        b"x-Amzn-Invoked-Production-Variant: v\r\nx-amzn-RequestId: r\r\n"
    )
    assert expected == target.caller_fields(
        said, signature=b"x-Amzn-Invoked-Production-Variant: v\r\n", request_id=b"r"
    )


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        ("Inference Component Name header is not allowed for endpoints", b"inference-component"),
        ("EnableExplanations is not supported: endpoint iris", b"enable-explanations"),
        ("PrefixAwareId is not supported: endpoint iris", b"prefix-aware-id"),
    ],
)
def test_a_wish_that_no_endpoint_fulfils(expected: str, field: bytes) -> None:
    refusal = target.refusal(asked([(b"host", b"a"), (b"x-amzn-sagemaker-" + field, b"`true`")]), "iris")
    assert refusal is not None
    assert "ValidationError" == refusal.code
    assert refusal.message.startswith(expected)


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
        (None, b"x-amzn-sagemaker-target-container-hostname", 63),
        ("targetContainerHostname", b"x-amzn-sagemaker-target-container-hostname", 64),
    ],
)
def test_headers_have_the_lengths_of_the_api(expected: str | None, name: bytes, length: int) -> None:
    refusal = target.refusal(asked([(name, b"a" * length)]), "iris")
    assert (expected is not None) == (refusal is not None)
    if refusal is not None:
        assert f"at '{expected}'" in refusal.message


def test_a_name_too_long_is_told_so() -> None:
    with pytest.raises(ServiceError, match="less than or equal to 63"):
        target.endpoint_name(b"a" * 64)
