"""Which service and operation a request is for, when all services share one port.

Told apart by, in this order: the `X-Amz-Target` header; the path of an RPC v2 request; the signing name in the
credential scope (of the header or of a presigned query); a form naming an `Action`; the path of an invocation; and
what is left is S3. Nothing here raises: what cannot be recognised is refused by `decode`, in the right protocol.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from botocore.model import OperationModel, ServiceModel

from moorage.aws import routing, services
from moorage.aws.call import Protocol, Target
from moorage.aws.http import HttpRequest
from moorage.aws.querystring import parse_pairs

_BY_PREFIX: Final = {entry.target_prefix: entry for entry in services.ENTRIES if entry.target_prefix}
_BY_VERSION: Final = {entry.version: entry for entry in services.ENTRIES if entry.version}
_QUERY_SIGNING_NAMES: Final = {entry.signing_name: entry for entry in services.ENTRIES if entry.version}
_SIGNING_NAMES: Final = frozenset(entry.signing_name for entry in services.ENTRIES)
_SCOPE: Final = re.compile(r"Credential=[^/,\s]+/\d+/[^/,\s]*/([^/,\s]+)/aws4_request")
_RPC_V2_PATH: Final = re.compile(r"/service/([^/]+)/operation/([^/]+)/?")
_FORM: Final = "application/x-www-form-urlencoded"


def detect(request: HttpRequest) -> Target:
    """The target of `request`. Call it again after reading the body: a query request's operation stands there."""
    target_header = request.headers.get("x-amz-target")
    if target_header is not None:
        prefix, _, operation = target_header.rpartition(".")
        if request.method != "POST":
            return Target(request, Protocol.JSON)
        return _rpc(request, Protocol.JSON, prefix, operation)
    rpc_v2 = _RPC_V2_PATH.fullmatch(request.path)
    if rpc_v2 and request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _rpc(request, Protocol.CBOR, rpc_v2[1], rpc_v2[2])

    parameters = dict(parse_pairs(request.query))
    signed_for = _signing_name(request, parameters)
    if signed_for == "s3":
        return _s3(request)
    if signed_for == "sagemaker" or (signed_for is None and request.path.startswith("/endpoints/")):
        return _rest(request, Protocol.REST_JSON, "sagemaker-runtime")
    if signed_for in _QUERY_SIGNING_NAMES or _is_form(request) or parameters.get("Version") in _BY_VERSION:
        return _query(request, parameters, signed_for)
    if signed_for in _SIGNING_NAMES:
        return Target(request, Protocol.JSON)
    return _s3(request) if signed_for is None else Target(request, Protocol.REST_JSON)


def _rpc(request: HttpRequest, protocol: Protocol, prefix: str, operation: str) -> Target:
    entry = _BY_PREFIX.get(prefix)
    if entry is None or protocol not in entry.protocols:
        return Target(request, protocol)
    service = services.service(entry.name)
    return Target(request, protocol, service, _operation(service, operation))


def _query(request: HttpRequest, parameters: Mapping[str, str], signed_for: str | None) -> Target:
    fields = {**parameters, **dict(parse_pairs(request.body.decode("latin-1")))} if _is_form(request) else parameters
    entry = _QUERY_SIGNING_NAMES.get(signed_for) if signed_for else _BY_VERSION.get(fields.get("Version", ""))
    if entry is None:
        return Target(request, Protocol.QUERY)
    service = services.service(entry.name)
    return Target(request, Protocol.QUERY, service, _operation(service, fields.get("Action", "")))


def _s3(request: HttpRequest) -> Target:
    return _rest(request, Protocol.REST_XML, "s3")


def _rest(request: HttpRequest, protocol: Protocol, name: str) -> Target:
    service = services.service(name)
    return Target(request, protocol, service, routing.match(service, request))


def _operation(service: ServiceModel, name: str) -> OperationModel | None:
    return service.operation_model(name) if name in service.operation_names else None


def _signing_name(request: HttpRequest, parameters: Mapping[str, str]) -> str | None:
    scope = _SCOPE.search(request.headers.get("authorization", "") or "")
    if scope:
        return scope[1]
    parts = parameters.get("X-Amz-Credential", "").split("/")
    return parts[3] if len(parts) == 5 else None


def _is_form(request: HttpRequest) -> bool:
    return (request.headers.get("content-type") or "").lower().startswith(_FORM)
