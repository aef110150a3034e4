"""Moorage's own operations, which AWS has no like of: CreateBearerKey, ListBearerKeys, DeleteBearerKey.

They are signed and allowed like any other (`moorage:CreateBearerKey` on the endpoint's ARN). Of a key only its SHA-256
is kept: it has 256 random bits, so that nothing slower is needed. An endpoint without keys takes none.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from moorage.api.service import Caller, Service, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import (
    BearerKeySummary,
    CreateBearerKeyInput,
    CreateBearerKeyOutput,
    DeleteBearerKeyInput,
    ListBearerKeysInput,
    ListBearerKeysOutput,
)
from moorage.core.iam.principal import Requirement
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus
from moorage.core.names import bearer_keys_name, sagemaker_arn
from moorage.store.base import Document, Store, Transaction
from moorage.system.clock import Clock
from moorage.system.entropy import new_secret, new_uid

_KEYS_MAX: Final = 100
_NO_REGION: Final = ""


class BearerKeys(Service):
    """Keeps the keys of endpoints. `enforce` returns once every gateway goes by what is stored of them."""

    name: ClassVar[str] = "moorage"

    def __init__(self, store: Store, *, clock: Clock, enforce: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._clock = clock
        self._enforce = enforce

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The operation on the endpoint."""
        arn = sagemaker_arn(caller.region, caller.account_id, "endpoint", request["EndpointName"])
        return [Requirement(f"moorage:{operation}", arn)]

    @operation("CreateBearerKey")
    async def create_bearer_key(self, caller: Caller, request: CreateBearerKeyInput) -> CreateBearerKeyOutput:
        """Make a key for an endpoint. It is told here, and never again."""
        made = _make_key()
        now = self._clock.now()
        kept = {"Digest": made.digest, "CreateDate": now.isoformat()}
        if "Description" in request:
            kept["Description"] = request["Description"]

        def create(tx: Transaction) -> None:
            endpoint = _find_endpoint(tx, caller, request["EndpointName"])
            document = _find_keys(tx, endpoint) or _no_keys(endpoint, now)
            if len(document.body["Keys"]) == _KEYS_MAX:
                message = f"An endpoint can have {_KEYS_MAX} bearer keys. Delete one that is no longer used."
                raise ServiceError("ResourceLimitExceeded", message)
            _put_keys(tx, document, {**document.body["Keys"], made.id: kept}, now=now)

        await self._store.run(create)
        await self._enforce()
        return {"KeyId": made.id, "Key": made.key, "CreationTime": now}

    @operation("ListBearerKeys")
    async def list_bearer_keys(self, caller: Caller, request: ListBearerKeysInput) -> ListBearerKeysOutput:
        """The keys of an endpoint, the oldest first."""

        def find(tx: Transaction) -> Document | None:
            return _find_keys(tx, _find_endpoint(tx, caller, request["EndpointName"]))

        document = await self._store.run(find)
        keys = document.body["Keys"] if document else {}
        return {"BearerKeys": sorted((_summary(*item) for item in keys.items()), key=lambda key: key["CreationTime"])}

    @operation("DeleteBearerKey")
    async def delete_bearer_key(self, caller: Caller, request: DeleteBearerKeyInput) -> None:
        """Withdraw a key."""
        key_id = request["KeyId"]
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            endpoint = _find_endpoint(tx, caller, request["EndpointName"])
            document = _find_keys(tx, endpoint)
            if document is None or key_id not in document.body["Keys"]:
                raise ServiceError("ResourceNotFound", f"Endpoint {endpoint.key.name} has no bearer key {key_id}.")
            left = {other: kept for other, kept in document.body["Keys"].items() if other != key_id}
            _put_keys(tx, document, left, now=now)

        await self._store.run(delete)
        await self._enforce()


@dataclass(frozen=True, slots=True)
class _Made:
    """A new key: its id, what is told, and what is kept."""

    id: str
    key: str
    digest: str


def _make_key() -> _Made:
    key = "moorage-" + base64.urlsafe_b64encode(new_secret(32)).decode().rstrip("=")
    return _Made("bk-" + new_uid(), key, hashlib.sha256(key.encode()).hexdigest())


def _find_endpoint(tx: Transaction, caller: Caller, name: str) -> Endpoint:
    """Raises ResourceNotFound, also for an endpoint that is being deleted."""
    endpoint = tx.endpoints.get(EndpointKey(caller.region, name))
    if endpoint is None or endpoint.status is EndpointStatus.DELETING:
        arn = sagemaker_arn(caller.region, caller.account_id, "endpoint", name)
        raise ServiceError("ResourceNotFound", f'Could not find endpoint "{arn}".')
    return endpoint


def _find_keys(tx: Transaction, endpoint: Endpoint) -> Document | None:
    return tx.bearer_keys.get(_NO_REGION, bearer_keys_name(endpoint.key))


def _no_keys(endpoint: Endpoint, now: datetime) -> Document:
    region, name = endpoint.key
    body = {"Region": region, "EndpointName": name, "Keys": {}}
    return Document(_NO_REGION, bearer_keys_name(endpoint.key), endpoint.arn, now, now, body)


def _put_keys(tx: Transaction, document: Document, keys: Mapping[str, Any], *, now: datetime) -> None:
    tx.bearer_keys.delete(_NO_REGION, document.name)
    if keys:
        tx.bearer_keys.insert(replace(document, modified_at=now, body={**document.body, "Keys": dict(keys)}))


def _summary(key_id: str, kept: Mapping[str, Any]) -> BearerKeySummary:
    summary: BearerKeySummary = {"KeyId": key_id, "CreationTime": datetime.fromisoformat(kept["CreateDate"])}
    if "Description" in kept:
        summary["Description"] = kept["Description"]
    return summary
