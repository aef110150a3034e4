"""What an invocation asks for: the operation in the path and the wishes in the headers. Pure."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from moorage.aws import eventstream
from moorage.aws.errors import ServiceError
from moorage.gateway import errors
from moorage.gateway.containers import TARGET_CONTAINER
from moorage.gateway.trace_context import TRACEPARENT, passed_on
from moorage.wire.messages import Request

TARGET_VARIANT: Final = b"x-amzn-sagemaker-target-variant"
STREAM_ACCEPT: Final = b"x-amzn-sagemaker-accept"
"""Where the streaming operation has what the container is to accept."""

_PREFIX: Final = b"/endpoints/"
_PATH = re.compile(rb"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
_NAME = re.compile(rb"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_SHORT_BYTES: Final = 256
_LENGTHS_MAX: Final = {
    b"x-amzn-sagemaker-custom-attributes": ("customAttributes", 1024),
    b"x-amzn-sagemaker-inference-id": ("inferenceId", 64),
    TARGET_CONTAINER: ("targetContainerHostname", 63),
}
_UNSUPPORTED: Final = {
    b"x-amzn-sagemaker-inference-component": (
        "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
        "components to. Please remove the header and try again."
    ),
    b"x-amzn-sagemaker-enable-explanations": "EnableExplanations is not supported: endpoint {name} has no explainer.",
    b"x-amzn-sagemaker-prefix-aware-id": "PrefixAwareId is not supported: endpoint {name} does not route by prefixes.",
}
"""What each says to who asks for it; `name` is the endpoint's."""
_EVENT_STREAM: Final = eventstream.MEDIA_TYPE.encode()
_LOOKED_AT: Final = frozenset({*_LENGTHS_MAX, *_UNSUPPORTED})
# The only headers of the caller that a container gets to see, besides those of a trace context.
_PASSED: Final = (
    b"content-type",
    b"accept",
    b"x-amzn-sagemaker-custom-attributes",
    b"x-amzn-sagemaker-inference-id",
)
# And the only ones of a container that the caller gets to see.
_ATTRIBUTES: Final = (b"x-amzn-sagemaker-custom-attributes", b"X-Amzn-SageMaker-Custom-Attributes")
_RETURNED: Final = ((b"content-type", b"Content-Type"), _ATTRIBUTES)
_RETURNED_WITH_EVENTS: Final = ((b"content-type", b"X-Amzn-SageMaker-Content-Type"), _ATTRIBUTES)


class Operation(enum.Enum):
    """The operations of the runtime API."""

    INVOKE = "InvokeEndpoint"
    ASYNC = "InvokeEndpointAsync"
    STREAM = "InvokeEndpointWithResponseStream"


class Address(NamedTuple):
    """What a path says. The name is as sent, see `endpoint_name`."""

    name: bytes
    operation: Operation


_OPERATIONS: Final = {
    b"invocations": Operation.INVOKE,
    b"async-invocations": Operation.ASYNC,
    b"invocations-response-stream": Operation.STREAM,
}


def address_of(path: bytes) -> Address | None:
    """What the gateway answers by itself; None for everything else."""
    return _short_address_of(path) if len(path) <= _SHORT_BYTES else _address_of(path)


def _address_of(path: bytes) -> Address | None:
    match = _PATH.fullmatch(path) if path.startswith(_PREFIX) else None
    return Address(match[1], _OPERATIONS[match[2]]) if match is not None else None


# The same paths all the time, some for every endpoint: remembered, one costs 0.1 µs instead of 0.9.
_short_address_of = functools.lru_cache(maxsize=16_384)(_address_of)


def endpoint_name(name: bytes) -> str:
    """The name of the endpoint to invoke. Raises ServiceError for what could not be any endpoint's."""
    return _short_name(name) if len(name) <= _SHORT_BYTES else _endpoint_name(name)


def _endpoint_name(name: bytes) -> str:
    if b"%" in name:
        name = unquote_to_bytes(name)
    if _NAME.fullmatch(name) is None:
        raise errors.malformed_endpoint_name(name.decode("utf-8", "replace"))
    return name.decode("ascii")


_short_name = functools.lru_cache(maxsize=16_384)(_endpoint_name)


def refusal(request: Request, name: str) -> ServiceError | None:
    """What to say if a header is too long, or asks for something that endpoint `name` does not do."""
    if _LOOKED_AT.isdisjoint(request.fields):
        return None
    for key, value in request.headers:
        if key in _LENGTHS_MAX:
            member, length_max = _LENGTHS_MAX[key]
            if len(value) > length_max:
                return errors.header_too_long(value.decode("utf-8", "replace"), member, length_max)
        if key in _UNSUPPORTED:
            return errors.not_supported(_UNSUPPORTED[key].format(name=name))
    return None


def container_request(request: Request, body: bytes, *, request_id: str, parent: bytes | None = None) -> bytes:
    """The head of the request to the container. The values are of a head that was found valid.

    `parent` is the `traceparent` of an invocation that is traced here.
    """
    fields = request.fields
    if len(fields) < len(request.headers):
        passed: Iterable[tuple[bytes, bytes]] = [each for each in request.headers if each[0] in _PASSED]
    else:
        passed = [(name, fields[name]) for name in _PASSED if name in fields]
    return _container_head(request, passed, body=body, request_id=request_id, parent=parent)


def container_stream_request(request: Request, body: bytes, *, request_id: str, parent: bytes | None = None) -> bytes:
    """The same for the streaming operation. The caller's own Accept stands for a missing one of the container's."""
    accept = request.fields.get(STREAM_ACCEPT) or request.fields.get(b"accept")
    passed = [each for each in request.headers if each[0] in _PASSED and each[0] != b"accept"]
    if accept is not None and accept != _EVENT_STREAM:
        passed.append((b"accept", accept))
    return _container_head(request, passed, body=body, request_id=request_id, parent=parent)


def _container_head(
    request: Request, passed: Iterable[tuple[bytes, bytes]], *, body: bytes, request_id: str, parent: bytes | None
) -> bytes:
    if parent is not None:
        passed = [*passed, (TRACEPARENT, parent), *passed_on(request.headers)[1:]]
    elif TRACEPARENT in request.fields:
        passed = [*passed, *passed_on(request.headers)]
    return (
        b"POST /invocations HTTP/1.1\r\nHost: localhost:8080\r\n%bX-Amzn-RequestId: %b\r\ncontent-length: %d\r\n\r\n"
        % (
            b"".join([b"%b: %b\r\n" % field for field in passed]),
            request_id.encode(),
            len(body),
        )
    )


def caller_fields(fields: Mapping[bytes, bytes], *, signature: bytes, request_id: bytes) -> bytes:
    """The fields of the answer to the caller, as they go out, from those of the container's.

    `signature` is what the variant puts under its answers. The values are of a head that was found valid.
    """
    returned = b"".join([b"%b: %b\r\n" % (out, fields[name]) for name, out in _RETURNED if name in fields])
    return b"%b%bx-amzn-RequestId: %b\r\n" % (returned, signature, request_id)


def caller_event_fields(fields: Mapping[bytes, bytes], *, signature: bytes, request_id: bytes) -> bytes:
    """The same above an event stream, where the type of what it carries has a field of its own."""
    kept = _RETURNED_WITH_EVENTS
    returned = b"".join([b"%b: %b\r\n" % (out, fields[name]) for name, out in kept if name in fields])
    return b"Content-Type: %b\r\n%b%bx-amzn-RequestId: %b\r\n" % (_EVENT_STREAM, returned, signature, request_id)
