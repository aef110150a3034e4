"""Moorage's own operations, which AWS has no like of: CreateBearerKey, ListBearerKeys, DeleteBearerKey.

They are signed and allowed like any other (`moorage:CreateBearerKey` on the endpoint's ARN). An endpoint without keys
takes none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from moorage.api.bearer_keys.keys import NO_REGION, add_key, make_key, remove_key, summaries
from moorage.api.service import Caller, Service, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import (
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
        now = self._clock.now()
        made = make_key(request.get("Description"), now=now)

        def create(tx: Transaction) -> None:
            endpoint = _find_endpoint(tx, caller, request["EndpointName"])
            add_key(tx, _find_keys(tx, endpoint) or _no_keys(endpoint, now), made, of="An endpoint", now=now)

        await self._store.run(create)
        await self._enforce()
        return {"KeyId": made.id, "Key": made.key, "CreationTime": now}

    @operation("ListBearerKeys")
    async def list_bearer_keys(self, caller: Caller, request: ListBearerKeysInput) -> ListBearerKeysOutput:
        """The keys of an endpoint, the oldest first."""

        def find(tx: Transaction) -> Document | None:
            return _find_keys(tx, _find_endpoint(tx, caller, request["EndpointName"]))

        return {"BearerKeys": summaries(await self._store.run(find))}

    @operation("DeleteBearerKey")
    async def delete_bearer_key(self, caller: Caller, request: DeleteBearerKeyInput) -> None:
        """Withdraw a key."""
        key_id = request["KeyId"]
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            endpoint = _find_endpoint(tx, caller, request["EndpointName"])
            of = f"Endpoint {endpoint.key.name}"
            remove_key(tx, _find_keys(tx, endpoint), key_id, of=of, now=now)

        await self._store.run(delete)
        await self._enforce()


def _find_endpoint(tx: Transaction, caller: Caller, name: str) -> Endpoint:
    """Raises ResourceNotFound, also for an endpoint that is being deleted."""
    endpoint = tx.endpoints.get(EndpointKey(caller.region, name))
    if endpoint is None or endpoint.status is EndpointStatus.DELETING:
        arn = sagemaker_arn(caller.region, caller.account_id, "endpoint", name)
        raise ServiceError("ResourceNotFound", f'Could not find endpoint "{arn}".')
    return endpoint


def _find_keys(tx: Transaction, endpoint: Endpoint) -> Document | None:
    return tx.bearer_keys.get(NO_REGION, bearer_keys_name(endpoint.key))


def _no_keys(endpoint: Endpoint, now: datetime) -> Document:
    region, name = endpoint.key
    body = {"Region": region, "EndpointName": name, "Keys": {}}
    return Document(NO_REGION, bearer_keys_name(endpoint.key), endpoint.arn, now, now, body)
