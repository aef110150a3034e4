"""The one door to the wire formats: a request becomes a call, an answer or an error becomes a response.

`detect` needs only a request's head and never fails, so a server can use it to choose how to read the body and how to
refuse. `decode`, `encode` and `encode_error` then do the rest. There is no I/O below this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moorage.aws import routing, validate
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.detect import detect
from moorage.aws.errors import ServiceError
from moorage.aws.http import HttpRequest, HttpResponse
from moorage.aws.protocols import s3
from moorage.aws.protocols.formats import FORMATS

__all__ = ["decode", "detect", "encode", "encode_error"]

_QUOTED_MAX: Final = 256


def decode(request: HttpRequest, *, request_id: str) -> Call:
    """The call that a request, its body read, makes. Raises ServiceError for one that cannot be made sense of."""
    target = detect(request)
    if target.service is None or target.operation is None:
        raise _unknown_operation(target)
    params = FORMATS[target.protocol].decode(request, target.operation)
    found = validate.violations(target.operation, params)
    if found:
        refuse = s3.refusal if target.service.service_name == "s3" else validate.refusal
        raise refuse(target.operation, found)
    return Call(request, request_id, target.protocol, target.service, target.operation, params)


def encode(output: Mapping[str, Any] | None, call: Call) -> HttpResponse:
    """The response that says `output`, which has the form of the operation's output shape; None where it has none."""
    return FORMATS[call.protocol].encode(output or {}, call)


def encode_error(error: ServiceError, request: HttpRequest, *, request_id: str) -> HttpResponse:
    """The response for an error at any stage of a request's life, in the protocol that the request speaks."""
    target = detect(request)
    response = FORMATS[target.protocol].encode_error(error, target, request_id)
    for name, value in error.headers.items():
        response.headers.set(name, value)
    return response


def _unknown_operation(target: Target) -> ServiceError:
    match target.protocol:
        case Protocol.QUERY:
            return ServiceError(
                "InvalidAction", "Could not find the operation named by Action and Version.", status=400
            )
        case Protocol.REST_XML:
            message = "The specified method is not allowed against this resource."
            return ServiceError("MethodNotAllowed", message, status=405)
        case Protocol.REST_JSON:
            known = target.service is not None and routing.has_path(target.service, target.request)
            message = f"{target.request.method} {target.request.path[:_QUOTED_MAX]} is not an operation."
            return ServiceError("UnknownOperationException", message, status=405 if known else 404)
        case Protocol.JSON:
            named = (target.request.headers.get("x-amz-target") or "")[:_QUOTED_MAX]
            message = f"{target.request.method} with the X-Amz-Target '{named}' is not an operation."
            return ServiceError("UnknownOperationException", message, status=400)
        case Protocol.CBOR:
            message = f"{target.request.path[:_QUOTED_MAX]} is not an operation."
            return ServiceError("UnknownOperationException", message, status=400)
