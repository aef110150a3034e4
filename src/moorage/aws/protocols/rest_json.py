"""REST-JSON, which the SageMaker runtime speaks: members in path, header fields and body, errors named in a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from botocore.model import OperationModel

from moorage.aws import faults
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import documents, json, rest

_ERROR_NAMESPACE: Final = "http://internal.amazon.com/coral/com.amazon.sagemaker/"
"""What the live service appends to the error's name in `x-amzn-ErrorType`."""


def decode(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters in the request's head and body. Raises ServiceError SerializationException."""
    shape = operation.input_shape
    if shape is None:
        return {}
    try:
        params = rest.read_head(request, operation)
        if "payload" in shape.serialization:
            return params | rest.read_payload(request, shape, _read)
    except ValueError as error:
        raise documents.serialization_error(str(error)) from None
    return params | documents.read_members(rest.body_members(shape), json.parse(request.body))


def encode(output: Mapping[str, Any], call: Call) -> HttpResponse:
    """A successful answer."""
    operation = call.operation
    response = HttpResponse(operation.http.get("responseCode", 200), Headers([("x-amzn-RequestId", call.request_id)]))
    shape = operation.output_shape
    if shape is None:
        return response
    if "payload" in shape.serialization:
        response.body = rest.write_payload(output, shape, _write)
    else:
        members = rest.body_members(shape)
        body = {name: value for name, value in output.items() if name in members}
        response.body = msgspec.json.encode(documents.write_members(members, body))
        response.headers.set("Content-Type", "application/json")
    rest.write_head(output, shape, response.headers)
    return response


def encode_error(error: ServiceError, target: Target, request_id: str) -> HttpResponse:
    """The answer for an error: its name in a header, its members in the body."""
    shape = faults.shape_of(error.code, target.service)
    headers = Headers(
        [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", f"{error.code}:{_ERROR_NAMESPACE}"),
        ]
    )
    body = json.write_members(faults.members_of(error, shape), shape)
    if shape is None:
        body["Message"] = body.pop("message")
    return HttpResponse(faults.status_of(error, shape, Protocol.REST_JSON), headers, msgspec.json.encode(body))


def _read(shape: Any, body: bytes) -> Any:
    return documents.read(shape, json.parse(body))


def _write(shape: Any, value: Any) -> bytes:
    return msgspec.json.encode(documents.write(shape, value))
