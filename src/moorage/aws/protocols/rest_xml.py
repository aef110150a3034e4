"""REST-XML as S3 speaks it: members in path, query string, header fields and an XML body."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from moorage.aws import faults
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import rest, s3, xml

_BODILESS = (204, 304)


def decode(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters in the request's head and body. Raises ServiceError InvalidArgument or MalformedXML."""
    shape = operation.input_shape
    if shape is None:
        return {}
    try:
        params = rest.read_head(request, operation)
        if "payload" in shape.serialization:
            return params | rest.read_payload(request, shape, _read)
    except ValueError as error:
        raise ServiceError("InvalidArgument", f"{error}.", status=400) from None
    if request.body and rest.body_members(shape):
        params |= _read(shape, request.body)
    return params


def encode(output: Mapping[str, Any], call: Call) -> HttpResponse:
    """A successful answer. Keys are url-encoded here, when the answer says so (`EncodingType`)."""
    operation = call.operation
    headers = _headers(call.request_id)
    response = HttpResponse(s3.status_of(output) or operation.http.get("responseCode", 200), headers)
    shape = operation.output_shape
    if shape is None:
        return response
    if "payload" in shape.serialization:
        response.body = rest.write_payload(output, shape, lambda member, value: _document(operation, member, value))
    elif rest.body_members(shape):
        response.body = _document(operation, shape, s3.encode_keys(output))
    if isinstance(response.body, bytes) and response.body.startswith(b"<?xml"):
        headers.set("Content-Type", "application/xml")
    rest.write_head(output, shape, headers)
    return response


def encode_error(error: ServiceError, target: Target, request_id: str) -> HttpResponse:
    """The answer for an error: `<Error>` without a namespace; only a status where there can be no body."""
    shape = faults.shape_of(error.code, target.service)
    response = HttpResponse(faults.status_of(error, shape, Protocol.REST_XML), _headers(request_id))
    if target.request.method == "HEAD" or response.status in _BODILESS:
        return response
    elements = {
        "Code": error.code,
        "Message": error.message,
        **error.members,
        "RequestId": request_id,
        "HostId": _host_id(request_id),
    }
    content = "".join(xml.element(name, xml.text(str(value))) for name, value in elements.items())
    response.headers.set("Content-Type", "application/xml")
    response.body = (xml.DECLARATION + xml.element("Error", content)).encode("utf-8")
    return response


def _read(shape: Any, body: bytes) -> Any:
    try:
        return xml.read(shape, xml.parse(body))
    except ValueError:
        raise ServiceError("MalformedXML", s3.MALFORMED_XML, status=400) from None


def _document(operation: OperationModel, shape: Any, value: Mapping[str, Any]) -> bytes:
    content = s3.content(operation.name, value)
    if content is None:
        content = xml.write_members(shape, value)
    root = xml.element(s3.root_name(operation.name, shape), content, {"xmlns": s3.NAMESPACE})
    return (xml.DECLARATION + root).encode("utf-8")


def _headers(request_id: str) -> Headers:
    return Headers([("x-amz-request-id", request_id), ("x-amz-id-2", _host_id(request_id))])


def _host_id(request_id: str) -> str:
    return base64.b64encode(hashlib.sha256(request_id.encode()).digest()).decode("ascii")
