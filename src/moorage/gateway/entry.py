"""Who asks, and for what: everything about an invocation that is settled before an instance is chosen.

In this order, so that nobody learns of what is not theirs: the signature (or the bearer key), the permission, whether
there is such an endpoint, and only then what else is wrong with the request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from moorage.aws import sigv4
from moorage.aws.authentication import AuthenticationError, answer_for
from moorage.aws.authorization import Credential
from moorage.aws.call import Protocol
from moorage.aws.canonical import header_fields
from moorage.core.model import EndpointKey
from moorage.core.names import sagemaker_arn
from moorage.gateway import errors, target
from moorage.gateway.permission import is_bearer, not_allowed
from moorage.gateway.tables import Endpoint, Routes
from moorage.gateway.target import Operation
from moorage.wire.messages import Request

_SIGNING_NAME: Final = "sagemaker"


class Admitted(NamedTuple):
    """What has been found out."""

    endpoint: Endpoint
    account_id: str
    principal: str
    """The ARN of whoever signed, or which bearer key it was."""


def enter(
    routes: Routes, request: Request, body: bytes, *, name: str, operation: Operation, now: Callable[[], datetime]
) -> Admitted:
    """Let an invocation of endpoint `name` in. Raises ServiceError."""
    if request.method != b"POST":
        raise errors.method_not_allowed(request.method.decode("latin-1"))
    authorization = request.fields.get(b"authorization")
    if authorization is not None and is_bearer(authorization) and not _is_ambiguous(request):
        admitted = _enter_by_key(routes, authorization, name=name, operation=operation)
    else:
        admitted = _enter_signed(routes, request, body, name=name, operation=operation, now=now())
    if (refusal := target.refusal(request, name)) is not None:
        raise refusal
    return admitted


def _is_ambiguous(request: Request) -> bool:
    """Whether a bearer key is not all there is to be let in by: what signatures are held to refuses that."""
    count = sum(name == b"authorization" for name, _ in request.headers)
    return count > 1 or b"X-Amz-Algorithm=" in request.query


def _enter_by_key(routes: Routes, authorization: bytes, *, name: str, operation: Operation) -> Admitted:
    key = routes.callers.open(authorization, name)
    if operation is Operation.ASYNC:
        raise errors.not_implemented(operation.value)
    account_id = routes.table.account_id
    return Admitted(_find(routes, EndpointKey(key.region, name), account_id), account_id, f"bearer-key/{key.id}")


def _enter_signed(
    routes: Routes, request: Request, body: bytes, *, name: str, operation: Operation, now: datetime
) -> Admitted:
    credential = _authenticate(routes, request, body, now)
    caller = routes.callers.find(credential.access_key_id)
    assert caller is not None  # its secret has just been used
    endpoint = routes.endpoint(credential.region, name)
    arn = endpoint.route.arn if endpoint else sagemaker_arn(credential.region, caller.account_id, "endpoint", name)
    if operation is Operation.INVOKE:
        decisions = caller.may_invoke
    else:
        decisions = caller.may_stream if operation is Operation.STREAM else caller.may_invoke_async
    if not (decisions.allow(arn, request.fields) if decisions.has_provisos else decisions[arn]):
        raise not_allowed(caller, decisions, arn, request.fields)
    if operation is Operation.ASYNC:
        raise errors.not_implemented(operation.value)
    if endpoint is None:
        raise errors.no_such_endpoint(name, caller.account_id)
    return Admitted(endpoint, caller.account_id, caller.arn)


def _authenticate(routes: Routes, request: Request, body: bytes, now: datetime) -> Credential:
    fields, headers = request.fields, request.headers
    try:
        credential = sigv4.authenticate(
            request.method,
            request.path,
            query=request.query,
            fields=fields if len(fields) == len(headers) else header_fields(headers),
            body_sha256=hashlib.sha256(body).hexdigest().encode(),
            secret_of=routes.callers.secret_of,
            now=now,
        )
        sigv4.require_service(credential, _SIGNING_NAME)
    except AuthenticationError as error:
        raise answer_for(error, Protocol.REST_JSON) from error
    return credential


def _find(routes: Routes, key: EndpointKey, account_id: str) -> Endpoint:
    endpoint = routes.endpoint(key.region, key.name)
    if endpoint is None:
        raise errors.no_such_endpoint(key.name, account_id)
    return endpoint
