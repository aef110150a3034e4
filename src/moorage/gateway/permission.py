"""Who may invoke: the callers of a table, prepared so that checking one costs a lookup.

Control has decided already what each principal's policies come to (`core.iam.evaluation.Grant`). What is left is
whether an endpoint's ARN is among what is granted, and that is remembered by ARN. Nothing here knows a policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from moorage.aws.errors import ServiceError
from moorage.core.iam import evaluation
from moorage.core.iam.context import Context
from moorage.core.iam.evaluation import Decision, Grant, refusal
from moorage.core.routes import AccessKey, BearerKey, InvokePermission, RouteTable
from moorage.gateway import containers, target_models

INVOKE: Final = "sagemaker:InvokeEndpoint"
INVOKE_ASYNC: Final = "sagemaker:InvokeEndpointAsync"
INVOKE_STREAM: Final = "sagemaker:InvokeEndpointWithResponseStream"

_BEARER: Final = b"bearer "
_REMEMBERED_MAX: Final = 16_384
"""Enough for every endpoint there is; a caller who asks for names that do not exist cannot fill the memory."""
_NOBODY: Final = InvokePermission()
_FIELDS_OF_CONDITIONS: Final = {
    evaluation.TARGET_CONTAINER: containers.TARGET_CONTAINER,
    evaluation.TARGET_MODEL: target_models.TARGET_MODEL,
}


def is_bearer(authorization: bytes) -> bool:
    """Whether an Authorization header carries a bearer key and not a signature."""
    return authorization[: len(_BEARER)].lower() == _BEARER


class Decisions(dict[str, bool]):
    """Whether one action is allowed, by the endpoint's ARN.

    `decisions[arn]` is the check, unless the grant `has_provisos`: then it is `allow`, of which nothing is remembered.
    """

    __slots__ = ("_grant", "action", "has_provisos")

    def __init__(self, action: str, grant: Grant) -> None:
        self.action = action
        self.has_provisos = bool(grant.provisos)
        self._grant = grant

    def allow(self, arn: str, fields: Mapping[bytes, bytes]) -> bool:
        """Whether a request with these fields is allowed."""
        return self._grant.decide(arn, _asked_for(fields)) is Decision.ALLOWED

    def __missing__(self, arn: str) -> bool:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        allowed = self._grant.decide(arn) is Decision.ALLOWED
        self[arn] = allowed
        return allowed

    def reason_for(self, arn: str, fields: Mapping[bytes, bytes], principal_arn: str) -> str:
        """Why a request with these fields is refused."""
        decision = self._grant.decide(arn, _asked_for(fields))
        return refusal(decision, principal_arn=principal_arn, action=self.action, resource=arn)


class Caller:
    """The holder of an access key: what verifies a signature, and what the principal may invoke."""

    __slots__ = ("account_id", "arn", "key", "may_invoke", "may_invoke_async", "may_stream", "permission", "secret")

    def __init__(self, key: AccessKey, permission: InvokePermission) -> None:
        self.key = key
        self.permission = permission
        self.secret = key.secret
        self.account_id = key.account_id
        self.arn = key.principal_arn
        self.may_invoke = Decisions(INVOKE, permission.invoke)
        self.may_invoke_async = Decisions(INVOKE_ASYNC, permission.invoke_async)
        self.may_stream = Decisions(INVOKE_STREAM, permission.invoke_stream)


class Callers:
    """The callers of one table, by access key id. Each is prepared at its first request, and kept while it is true."""

    __slots__ = ("_prepared", "_table")

    def __init__(self, table: RouteTable, older: Callers | None = None) -> None:
        self._table = table
        self._prepared: dict[str, Caller] = {}
        if older is not None:
            self._inherit(older)

    def find(self, access_key_id: str) -> Caller | None:
        """The holder of a key that may sign; None if there is no such key."""
        return self._prepared.get(access_key_id) or self._prepare(access_key_id)

    def secret_of(self, access_key_id: str) -> str | None:
        """The secret of a key that may sign."""
        caller = self.find(access_key_id)
        return caller.secret if caller is not None else None

    def open(self, authorization: bytes, endpoint_name: str) -> BearerKey:
        """The bearer key of the header, if it is one of that endpoint's. Raises ServiceError."""
        token = authorization[len(_BEARER) :].strip()
        key = self._table.bearer_keys.get(hashlib.sha256(token).hexdigest())
        if key is None or key.endpoint_name != endpoint_name:
            raise not_the_key()
        return key

    def _prepare(self, access_key_id: str) -> Caller | None:
        key = self._table.keys.get(access_key_id)
        if key is None:
            return None
        caller = Caller(key, self._permission(key))
        self._prepared[access_key_id] = caller
        return caller

    def _permission(self, key: AccessKey) -> InvokePermission:
        return self._table.permissions.get(key.principal_arn, _NOBODY)

    def _inherit(self, older: Callers) -> None:
        keys = self._table.keys
        if keys is older._table.keys and self._table.permissions is older._table.permissions:
            self._prepared = older._prepared  # as after every change of routes alone
            return
        for access_key_id, caller in older._prepared.items():
            key = keys.get(access_key_id)
            if key == caller.key and self._permission(caller.key) == caller.permission:
                self._prepared[access_key_id] = caller


def not_allowed(caller: Caller, decisions: Decisions, arn: str, fields: Mapping[bytes, bytes]) -> ServiceError:
    """The caller may not do that; in the same words whether there is such an endpoint or not."""
    return ServiceError("AccessDeniedException", decisions.reason_for(arn, fields, caller.arn), status=403)


def _asked_for(fields: Mapping[bytes, bytes]) -> Context:
    """What a request says of itself that policies may speak of."""
    return {
        key: (fields[name].decode("latin-1"),) if name in fields else () for key, name in _FIELDS_OF_CONDITIONS.items()
    }


def not_the_key() -> ServiceError:
    """A bearer key that is unknown, withdrawn or another endpoint's: which of them is nobody's to know."""
    return ServiceError(
        "UnrecognizedClientException",
        "The bearer key included in the request is not valid for this endpoint.",
        status=401,
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
