"""Botocore, as a client of the runtime, understands every error that the gateway can give."""

from typing import Any

import botocore.parsers
import botocore.session
import pytest

from moorage.aws.authentication import AuthenticationError, Failure, answer_for
from moorage.aws.call import Protocol
from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey, InstanceId
from moorage.gateway import errors
from moorage.gateway.errors import ModelErrors
from moorage.wire.messages import Refused, Response

MODEL = botocore.session.get_session().get_service_model("sagemaker-runtime")
PARSER = botocore.parsers.create_parser(MODEL.metadata["protocol"])
BLAME = ModelErrors(EndpointKey("eu-west-1", "iris"), "123456789012", variant="AllTraffic", instance=InstanceId("i-1"))
SEE = (
    ". See https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logEventViewer:"
    "group=/aws/sagemaker/Endpoints/iris in account 123456789012 for more information."
)
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
STREAM = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/iris:log-stream:AllTraffic/i-1"


def parse(response: Response) -> dict[str, Any]:
    """The error as a client sees it, with the members of a modelled one."""
    raw = {
        "status_code": response.status,
        "headers": {name.decode().lower(): value.decode() for name, value in response.headers},
        "body": response.body,
    }
    parsed = PARSER.parse(raw, MODEL.operation_model("InvokeEndpoint").output_shape)
    shape = MODEL.shape_for_error_code(parsed["Error"]["Code"])
    if shape is not None:
        assert shape.metadata["error"]["httpStatusCode"] == response.status
        parsed.update(PARSER.parse(raw, shape))
    found: dict[str, Any] = parsed
    return found


@pytest.mark.parametrize(
    ("code", "status", "message", "error"),
    [
        ("ValidationError", 400, "Endpoint x of account 1 not found.", errors.no_such_endpoint("x", "1")),
        ("ValidationError", 400, "Variant v of endpoint x of", errors.no_such_variant("v", "x", "1")),
        ("ValidationError", 400, "1 validation error detected: Value 'a_b'", errors.malformed_endpoint_name("a_b")),
        ("ValidationError", 400, "no", errors.not_supported("no")),
        ("RequestEntityTooLargeException", 413, "The request's body exceeds", errors.payload_too_large()),
        ("UnknownOperationException", 405, "GET is not", errors.method_not_allowed("GET")),
        ("NotImplemented", 501, "InvokeEndpointAsync", errors.not_implemented("InvokeEndpointAsync")),
        ("ServiceUnavailable", 503, "Endpoint x has no instance", errors.no_ready_instance("x")),
        ("ServiceUnavailable", 503, "No routes", errors.no_routes()),
        ("ServiceUnavailable", 503, "The control plane", errors.control_away()),
        ("InternalFailure", 500, "The request processing has failed", errors.internal()),
    ],
)  # fmt: skip
def test_errors_of_ours(code: str, status: int, message: str, error: ServiceError) -> None:
    response = errors.answer(error, "request-1")
    parsed = parse(response)
    assert code == parsed["Error"]["Code"]
    assert status == parsed["ResponseMetadata"]["HTTPStatusCode"]
    assert parsed["Error"]["Message"].startswith(message)
    assert "request-1" == parsed["ResponseMetadata"]["RequestId"]
    assert (503 == status) == any(name == b"Retry-After" for name, _ in response.headers)


@pytest.mark.parametrize(
    ("status", "original", "message", "error"),
    [
        (400, "no", 'Received client error (400) from primary with message "no"', BLAME.answered(400, "no")),
        (302, "", 'Received client error (302) from primary with message ""', BLAME.answered(302, "")),
        (503, "é", 'Received server error (503) from primary with message "é"', BLAME.answered(503, "é")),
        (0, TIMED_OUT, f'Received server error (0) from primary with message "{TIMED_OUT}"', BLAME.timed_out()),
        (0, "cut", 'Received server error (0) from primary with message "cut"', BLAME.broke("cut")),
        (
            400,
            "",
            "Received client error (400) from primary and could not load the entire response body",
            BLAME.answer_cut(400),
        ),
    ],
)
def test_errors_of_the_model(status: int, original: str, message: str, error: ServiceError) -> None:
    parsed = parse(errors.answer(error, "request-1"))
    assert {"Message": message + SEE, "Code": "ModelError"} == parsed["Error"]
    assert 424 == parsed["ResponseMetadata"]["HTTPStatusCode"]
    assert (status, original, STREAM) == (
        parsed["OriginalStatusCode"],
        parsed["OriginalMessage"],
        parsed["LogStreamArn"],
    )


@pytest.mark.parametrize("failure", list(Failure))
def test_errors_of_authentication(failure: Failure) -> None:
    error = answer_for(AuthenticationError(failure, "why"), Protocol.REST_JSON)
    parsed = parse(errors.answer(error, "request-1"))
    assert error.code == parsed["Error"]["Code"]
    assert 403 == parsed["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("status", [400, 405, 408, 413, 414, 417, 431, 500, 501, 503, 505])
def test_refusals_of_the_wire(status: int) -> None:
    parsed = parse(errors.refusal(Refused(status, "the head is malformed"), "request-1"))
    assert parsed["Error"]["Code"]
    assert "The head is malformed." == parsed["Error"]["Message"]
    assert status == parsed["ResponseMetadata"]["HTTPStatusCode"]
