"""Every answer other than success that the gateway gives by itself, in one table: code, status and wording.

The wording is SageMaker's where it is known (observed replies quoted in public repositories); what has no known wording
says what the caller can change. Never a path, an address or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey, InstanceId
from moorage.core.names import log_group, log_stream
from moorage.wire.messages import HeaderList, Refused, Response, WireError

PAYLOAD_BYTES_MAX: Final = 6_291_456
SERVERLESS_PAYLOAD_BYTES_MAX: Final = 4_194_304
NAME_LENGTH_MAX: Final = 63
ORIGINAL_MESSAGE_BYTES_MAX: Final = 1_024
CONTAINER: Final = "primary"
"""What SageMaker calls the container of a model that has one."""

_MODELLED = frozenset(
    {"ValidationError", "ModelError", "ModelNotReadyException", "InternalFailure", "ServiceUnavailable"}
)
_MODELLED_SUFFIX = ":http://internal.amazon.com/coral/com.amazon.sagemaker/"
_RETRY_AFTER = (b"Retry-After", b"1")

_OF_PLATFORM: Final[Mapping[bytes, int]] = {b"ValidationError": 400, b"ModelNotReadyException": 429}

_REFUSAL_CODES: Final[Mapping[int, str]] = {
    405: "UnknownOperationException",
    408: "RequestTimeoutException",
    413: "RequestEntityTooLargeException",
    500: "InternalFailure",
    503: "ServiceUnavailable",
}


def answer(error: ServiceError, request_id: str) -> Response:
    """A REST-JSON error as SageMaker Runtime sends it. `error.members` go in beside the message."""
    status = error.status or 400
    body = msgspec.json.encode({**error.members, "Message": error.message})
    kind = error.code + _MODELLED_SUFFIX if error.code in _MODELLED else error.code
    headers: HeaderList = [
        (b"Content-Type", b"application/json"),
        (b"x-amzn-ErrorType", kind.encode()),
        (b"x-amzn-RequestId", request_id.encode()),
    ]
    if status == 503:
        headers.append(_RETRY_AFTER)
    headers.extend((name.encode(), value.encode()) for name, value in error.headers.items())
    return Response(status, headers, body)


def refusal(refused: Refused, request_id: str) -> Response:
    """The answer to what the wire layer did not take, where nobody knows which protocol the caller speaks."""
    return answer(not_taken(refused), request_id)


def not_taken(refused: Refused) -> ServiceError:
    """The wire layer did not take the request."""
    code = _REFUSAL_CODES.get(refused.status, "MalformedHttpRequestException")
    return ServiceError(code, _sentence(refused.reason), status=refused.status)


def broken(error: WireError) -> ServiceError:
    """The request's body did not arrive as it should."""
    return not_taken(error if isinstance(error, Refused) else Refused(400, str(error)))


# -- the caller's ------------------------------------------------------------------------------------------------------


def no_such_endpoint(name: str, account_id: str) -> ServiceError:
    """No endpoint of that name is published in the region of the credential."""
    message = f"Endpoint {name} of account {account_id} not found."
    return ServiceError("ValidationError", message, status=400, members={"ErrorCode": "NO_SUCH_ENDPOINT"})


def no_such_variant(variant: str, endpoint: str, account_id: str) -> ServiceError:
    """`TargetVariant` names none of the endpoint's variants."""
    message = f"Variant {variant} of endpoint {endpoint} of account {account_id} not found."
    return ServiceError("ValidationError", message, status=400)


def no_such_container(container: str, endpoint: str, account_id: str) -> ServiceError:
    """`TargetContainerHostname` names none of the containers."""
    message = f"Container {container} of endpoint {endpoint} of account {account_id} not found."
    return ServiceError("ValidationError", message, status=400)


def no_target_container(endpoint: str) -> ServiceError:
    """A request to containers in direct mode that is for none of them. That it is refused is documented, how is not."""
    message = f"Endpoint {endpoint} hosts containers in direct mode and requires the target container hostname header."
    return ServiceError("ValidationError", message, status=400)


def no_direct_invocation(endpoint: str) -> ServiceError:
    """`TargetContainerHostname` where it has no place; worded as the refusal of a target model is (observed)."""
    message = (
        f"Endpoint {endpoint} does not host containers in direct mode and does not support target container hostname"
        " header."
    )
    return ServiceError("ValidationError", message, status=400)


def no_multi_model(endpoint: str) -> ServiceError:
    """`TargetModel` where there is but one (observed: aws/amazon-sagemaker-examples issues 1026 and 1216)."""
    message = f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model header."
    members = {"ErrorCode": "TARGET_MODEL_HEADER_NOT_SUPPORTED"}
    return ServiceError("ValidationError", message, status=400, members=members)


def no_target_model(request_id: str) -> ServiceError:
    """No `TargetModel` where there are many (seen: aws/sagemaker-tensorflow-serving-container issue 166)."""
    return ServiceError("ValidationError", f"Request {request_id} is missing a target model header.", status=400)


def malformed_target_model(target: str) -> ServiceError:
    """A `TargetModel` that could not be the rest of a key below the prefix."""
    constraint = "Member must be a key relative to the model data prefix, without empty parts, '.', '..' and '\\'"
    return _violation(target, "targetModel", constraint)


def of_platform(code: bytes, message: str) -> ServiceError:
    """What an instance refuses in the platform's name, and not in that of one of its models."""
    return ServiceError(code.decode("latin-1"), message, status=_OF_PLATFORM.get(code, 503))


def malformed_endpoint_name(name: str) -> ServiceError:
    """The name in the path could not be any endpoint's."""
    pattern = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    return _violation(name, "endpointName", pattern if len(name) <= NAME_LENGTH_MAX else _too_long(NAME_LENGTH_MAX))


def header_too_long(value: str, member: str, length_max: int) -> ServiceError:
    """A header that is handed to the container exceeds what the API has for it."""
    return _violation(value, member, _too_long(length_max))


def malformed_session_id(value: str, pattern: str) -> ServiceError:
    """A `SessionId` that could not be any session's."""
    return _violation(value, "sessionId", f"Member must satisfy regular expression pattern: {pattern}")


def no_such_session(session_id: str, endpoint: str) -> ServiceError:
    """The instance that the session was on is gone, or is not one of those that the request may go to."""
    return ServiceError("ValidationError", f"Session {session_id} of endpoint {endpoint} not found.", status=400)


def not_supported(message: str) -> ServiceError:
    """A header asks for what the endpoint does not do."""
    return ServiceError("ValidationError", message, status=400)


def payload_too_large(bytes_max: int = PAYLOAD_BYTES_MAX) -> ServiceError:
    """The body exceeds what InvokeEndpoint takes, or a serverless variant."""
    message = f"The request's body exceeds the limit of {bytes_max} bytes."
    return ServiceError("RequestEntityTooLargeException", message, status=413)


def method_not_allowed(method: str) -> ServiceError:
    """Endpoints are invoked with POST."""
    return ServiceError("UnknownOperationException", f"{method} is not a way to invoke an endpoint.", status=405)


def not_implemented(operation: str) -> ServiceError:
    """A part of the runtime API that is not served."""
    return ServiceError("NotImplemented", f"{operation} is not implemented by Moorage yet.", status=501)


# -- ours --------------------------------------------------------------------------------------------------------------


def no_ready_instance(name: str) -> ServiceError:
    """The endpoint is there, but nothing that could answer."""
    return ServiceError("ServiceUnavailable", f"Endpoint {name} has no instance ready to answer.", status=503)


def no_instance_comes(name: str, fault: str) -> ServiceError:
    """There is no instance, and a `fault` why none comes up."""
    message = f"Endpoint {name} has no instance ready to answer: {fault}"
    return ServiceError("ServiceUnavailable", message, status=503)


def overloaded(name: str) -> ServiceError:
    """Every slot is taken, and as many requests wait already as will get one in time."""
    message = f"Endpoint {name} has more requests than its instances can answer in time."
    return ServiceError("ServiceUnavailable", message, status=503)


def throttled() -> ServiceError:
    """A serverless variant has as many requests at once as its MaxConcurrency; AWS's words for any rate."""
    return ServiceError("ThrottlingException", "Rate exceeded", status=429)


def no_capacity(name: str) -> ServiceError:
    """The variant is to have none. AWS has none without for endpoints; of inference components it says this (seen)."""
    message = (
        f"Endpoint {name} has no capacity to process this request. ApplicationAutoScaling may be in-progress (if"
        " configured) or try to increase the capacity by invoking UpdateEndpointWeightsAndCapacities API."
    )
    return ServiceError("ValidationError", message, status=400)


def not_awake(name: str) -> ServiceError:
    """The variant was being woken for as long as the request could wait."""
    return ServiceError("ServiceUnavailable", f"Endpoint {name} did not wake up in time.", status=503)


def no_routes() -> ServiceError:
    """The gateway has just started and has not been told what to serve."""
    return ServiceError("ServiceUnavailable", "No routes have been published yet.", status=503)


def control_away() -> ServiceError:
    """Everything but invocations is answered by control, and it is not there."""
    return ServiceError("ServiceUnavailable", "The control plane is starting or being restarted.", status=503)


def internal() -> ServiceError:
    """A fault of our own."""
    message = "The request processing has failed because of an unknown error, exception or failure."
    return ServiceError("InternalFailure", message, status=500)


def internal_stream_failure() -> ServiceError:
    """A fault of our own in the middle of a stream."""
    message = "The stream processing failed because of an unknown error, exception or failure."
    return ServiceError("InternalStreamFailure", message)


# -- the model's -------------------------------------------------------------------------------------------------------


class ModelErrors:
    """Errors about one instance of an endpoint: they say where its log is.

    `container` is the one of several that is to blame, as its log stream is called.
    """

    __slots__ = ("_account_id", "_container", "_instance", "_key", "_stream", "is_of_front", "is_of_many_models")

    def __init__(
        self,
        key: EndpointKey,
        account_id: str,
        *,
        variant: str,
        instance: InstanceId,
        container: str | None = None,
        is_of_many_models: bool = False,
    ) -> None:
        self._key = key
        self._account_id = account_id
        self._container = container or CONTAINER
        self._stream = log_stream(variant, instance, container)
        self.is_of_front = container is not None
        """Whether the answers are a front's, which may answer in a container's place."""
        self.is_of_many_models = is_of_many_models
        """Whether the instance may answer in a model's place."""

    def answered(self, status: int, text: str) -> ServiceError:
        """The container answered with something other than success; `text` is the beginning of what it said."""
        who, code = ("client", "CLIENT_ERROR_FROM_MODEL") if status < 500 else _SERVER
        return self._error(
            f'Received {who} error ({status}) from {self._container} with message "{text}"', code, status, text
        )

    def answer_cut(self, status: int) -> ServiceError:
        """The container's error answer broke off."""
        message = f"Received client error ({status}) from {self._container} and could not load the entire response body"
        return self._error(message, "CLIENT_ERROR_FROM_MODEL", status, "")

    def timed_out(self) -> ServiceError:
        """The container did not answer within the time an invocation may take."""
        return self.broke(
            f"Your invocation timed out while waiting for a response from container {self._container}. Review the"
            " latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
        )

    def broke(self, text: str) -> ServiceError:
        """The container closed or reset the connection, or its answer was malformed or too large."""
        return self._error(
            f'Received server error (0) from {self._container} with message "{text}"', _SERVER[1], 0, text
        )

    def stream_timed_out(self) -> ServiceError:
        """The container began an answer and did not finish it within the time a stream may take, or fell silent."""
        message = f"Container {self._container} did not finish its answer within the time that a streamed one may take"
        return self._stream_error(message, "ModelInvocationTimeExceeded")

    def stream_broke(self, text: str) -> ServiceError:
        """The container began an answer, and then closed or reset the connection or sent nonsense."""
        return self._stream_error(
            f'The answer of container {self._container} broke off with message "{text}"', "StreamBroken"
        )

    def _stream_error(self, message: str, code: str) -> ServiceError:
        return ServiceError("ModelStreamError", f"{message}. {self._see()}", members={"ErrorCode": code})

    def _see(self) -> str:
        region, name = self._key
        return (
            f"See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group="
            f"{log_group(name)} in account {self._account_id} for more information."
        )

    def _error(self, message: str, code: str, status: int, original: str) -> ServiceError:
        region, name = self._key
        group = log_group(name)
        members: dict[str, Any] = {
            "ErrorCode": code,
            "OriginalStatusCode": status,
            "OriginalMessage": original,
            "LogStreamArn": f"arn:aws:logs:{region}:{self._account_id}:log-group:{group}:log-stream:{self._stream}",
        }
        return ServiceError("ModelError", f"{message}. {self._see()}", status=424, members=members)


_SERVER = ("server", "INTERNAL_FAILURE_FROM_MODEL")


def _too_long(length_max: int) -> str:
    return f"Member must have length less than or equal to {length_max}"


def _violation(value: str, member: str, constraint: str) -> ServiceError:
    message = f"1 validation error detected: Value '{value[:256]}' at '{member}' failed to satisfy constraint: "
    return ServiceError("ValidationError", message + constraint, status=400)


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:] + "."
