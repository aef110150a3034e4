"""JSON 1.0 and 1.1: the operation in `X-Amz-Target`, one JSON document each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.model import OperationModel

from moorage.aws import eventstream, faults
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import documents, event_streams


def decode(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters in the request's body. Raises ServiceError SerializationException."""
    value = parse(request.body)
    return documents.read(operation.input_shape, value) if operation.input_shape else {}


def encode(output: Mapping[str, Any], call: Call) -> HttpResponse:
    """A successful answer."""
    streamed = event_streams.stream_member(call.operation)
    if streamed is not None:
        return _encode_stream(output, call, streamed)
    shape = call.operation.output_shape
    body = msgspec.json.encode(documents.write(shape, output)) if shape else b"{}"
    return HttpResponse(200, _headers(call.service, call.request_id), body)


def _encode_stream(output: Mapping[str, Any], call: Call, streamed: str) -> HttpResponse:
    rest = {name: value for name, value in output.items() if name != streamed}
    headers = _headers(call.service, call.request_id)
    headers.set("Content-Type", eventstream.MEDIA_TYPE)
    return HttpResponse(200, headers, event_streams.encode_events(call.operation, rest, output[streamed]))


def encode_error(error: ServiceError, target: Target, request_id: str) -> HttpResponse:
    """The answer for an error. Services that once spoke query also get the code they had there, when asked for."""
    shape = faults.shape_of(error.code, target.service)
    status = faults.status_of(error, shape, Protocol.JSON)
    name = shape.name if shape else error.code
    headers = _headers(target.service, request_id)
    headers.set("x-amzn-ErrorType", name)
    if target.request.headers.get("x-amzn-query-mode") == "true":
        headers.set("x-amzn-query-error", faults.query_error(error.code, shape, status))
    body = {"__type": name, **write_members(faults.members_of(error, shape), shape)}
    return HttpResponse(status, headers, msgspec.json.encode(body))


def parse(body: bytes) -> Any:
    """The JSON value of a request's body; an empty one counts as `{}`. Raises ServiceError SerializationException."""
    if not body:
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise documents.serialization_error("The request body is not valid JSON.") from None


def write_members(members: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """An error's members, by its shape where that knows them."""
    known = shape.members if shape else {}
    return {
        known[name].serialization.get("name", name) if name in known else name: documents.write(known[name], value)
        if name in known
        else value
        for name, value in members.items()
    }


def _headers(service: Any, request_id: str) -> Headers:
    version = service.metadata["jsonVersion"] if service else "1.1"
    return Headers([("Content-Type", f"application/x-amz-json-{version}"), ("x-amzn-RequestId", request_id)])
