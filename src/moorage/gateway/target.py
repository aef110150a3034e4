"""What an invocation asks for: the operation in the path and the wishes in the headers. Pure."""

from __future__ import annotations

import re
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

from moorage.aws.errors import ServiceError
from moorage.gateway import errors
from moorage.wire.messages import HeaderList

TARGET_VARIANT: Final = b"x-amzn-sagemaker-target-variant"

_PREFIX: Final = b"/endpoints/"
_PATH = re.compile(rb"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
_NAME = re.compile(rb"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_NOT_SERVED: Final = {
    b"async-invocations": "InvokeEndpointAsync",
    b"invocations-response-stream": "InvokeEndpointWithResponseStream",
}
_LENGTHS_MAX: Final = {
    b"x-amzn-sagemaker-custom-attributes": ("customAttributes", 1024),
    b"x-amzn-sagemaker-inference-id": ("inferenceId", 64),
}
_UNSUPPORTED: Final = {
    b"x-amzn-sagemaker-target-model": (
        "Target model {value} is not supported: endpoint {name} does not host a multi-model container."
    ),
    b"x-amzn-sagemaker-target-container-hostname": (
        "Target container hostname {value} is not supported: endpoint {name} does not host containers in direct mode."
    ),
    b"x-amzn-sagemaker-inference-component": (
        "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
        "components to. Please remove the header and try again."
    ),
    b"x-amzn-sagemaker-session-id": "Session id {value} is not supported: endpoint {name} does not keep sessions.",
}
# The only headers of the caller that a container gets to see.
_PASSED: Final = frozenset(
    {
        b"content-type",
        b"accept",
        b"x-amzn-sagemaker-custom-attributes",
        b"x-amzn-sagemaker-inference-id",
    }
)
# And the only ones of a container that the caller gets to see.
_RETURNED: Final = {
    b"content-type": b"Content-Type",
    b"x-amzn-sagemaker-custom-attributes": b"X-Amzn-SageMaker-Custom-Attributes",
}
_HOST: Final = (b"Host", b"localhost:8080")


class Addressed(Protocol):
    """What is looked at of a request."""

    method: bytes
    path: bytes


def is_invocation(path: bytes) -> bool:
    """Whether the gateway answers by itself."""
    return path.startswith(_PREFIX) and _PATH.fullmatch(path) is not None


def endpoint_name(request: Addressed) -> str:
    """The name of the endpoint to invoke. Raises ServiceError for operations and methods not served."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        raise errors.malformed_endpoint_name(request.path.decode("latin-1"))
    name, operation = match.groups()
    if request.method != b"POST":
        raise errors.method_not_allowed(request.method.decode("latin-1"))
    if operation in _NOT_SERVED:
        raise errors.not_implemented(_NOT_SERVED[operation])
    if b"%" in name:
        name = unquote_to_bytes(name)
    if _NAME.fullmatch(name) is None:
        raise errors.malformed_endpoint_name(name.decode("utf-8", "replace"))
    return name.decode("ascii")


def refusal(headers: HeaderList, name: str) -> ServiceError | None:
    """What to say if a header is too long, or asks for something that endpoint `name` does not do."""
    for key, value in headers:
        if key in _LENGTHS_MAX:
            member, length_max = _LENGTHS_MAX[key]
            if len(value) > length_max:
                return errors.header_too_long(value.decode("utf-8", "replace"), member, length_max)
        if key in _UNSUPPORTED:
            return errors.not_supported(_UNSUPPORTED[key].format(value=value.decode("utf-8", "replace"), name=name))
    return None


def container_headers(headers: HeaderList) -> HeaderList:
    """The head of the request to the container, but for its framing."""
    passed = [field for field in headers if field[0] in _PASSED]
    passed.append(_HOST)
    return passed


def caller_headers(headers: HeaderList, *, variant: bytes, request_id: bytes) -> HeaderList:
    """The head of the answer to the caller, but for its framing."""
    returned = [(_RETURNED[name], value) for name, value in headers if name in _RETURNED]
    returned.append((b"x-Amzn-Invoked-Production-Variant", variant))
    returned.append((b"x-amzn-RequestId", request_id))
    return returned
