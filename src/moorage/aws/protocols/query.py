"""The query protocol: a form in, XML out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from moorage.aws import faults
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import forms, xml
from moorage.aws.querystring import parse_pairs


def decode(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters in the query string and the form. Raises ServiceError MalformedInput."""
    if operation.input_shape is None:
        return {}
    pairs = [*parse_pairs(request.query), *parse_pairs(request.body.decode("latin-1"))]
    return forms.read_structure(operation.input_shape, forms.tree(pairs))


def encode(output: Mapping[str, Any], call: Call) -> HttpResponse:
    """A successful answer: `<CreateRoleResponse><CreateRoleResult>…`."""
    shape = call.operation.output_shape
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{call.operation.name}Result")
        result = xml.element(wrapper, xml.write_members(shape, output))
    metadata = xml.element("ResponseMetadata", _request_id(call.request_id))
    return _response(200, f"{call.operation.name}Response", result + metadata, call.service, call.request_id)


def encode_error(error: ServiceError, target: Target, request_id: str) -> HttpResponse:
    """The answer for an error: `<ErrorResponse><Error>…`."""
    shape = faults.shape_of(error.code, target.service)
    status = faults.status_of(error, shape, Protocol.QUERY)
    known = {name: value for name, value in error.members.items() if shape and name in shape.members}
    content = (
        xml.element("Type", faults.side_of(status))
        + xml.element("Code", xml.text(shape.error_code if shape else error.code))
        + xml.element("Message", xml.text(error.message))
        + (xml.write_members(shape, known) if shape else "")
    )
    body = xml.element("Error", content) + _request_id(request_id)
    return _response(status, "ErrorResponse", body, target.service, request_id)


def _request_id(request_id: str) -> str:
    return xml.element("RequestId", xml.text(request_id))


def _response(status: int, root: str, content: str, service: Any, request_id: str) -> HttpResponse:
    namespace = service.metadata.get("xmlNamespace") if service else None
    body = xml.element(root, content, {"xmlns": namespace} if namespace else None)
    headers = Headers([("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)])
    return HttpResponse(status, headers, body.encode("utf-8"))
