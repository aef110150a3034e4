"""Access keys of users: CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey.

A key is in force, or no longer is, at control and at every gateway when the call is answered. Its secret is told once,
by CreateAccessKey, and kept nowhere: it follows from the key's id (see `secret_of`).
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Final

from moorage.api.iam.errors import invalid, limit_exceeded, no_such_access_key
from moorage.api.iam.part import Part, find_user, named_user, page_of
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    AccessKeyMetadata,
    CreateAccessKeyRequest,
    CreateAccessKeyResponse,
    DeleteAccessKeyRequest,
    ListAccessKeysRequest,
    ListAccessKeysResponse,
    UpdateAccessKeyRequest,
)
from moorage.store.base import Document, Transaction
from moorage.system.entropy import new_secret

_KEYS_MAX: Final = 2


class AccessKeys(Part):
    """The operations on access keys. A user that is not named is the caller."""

    @operation("CreateAccessKey")
    async def create_access_key(self, caller: Caller, request: CreateAccessKeyRequest) -> CreateAccessKeyResponse:
        """Give a user a key more."""
        key_id = "AKIA" + base64.b32encode(new_secret(10)).decode()
        now = self._clock.now()

        def add(_: Transaction, user: Document) -> dict[str, Any]:
            keys = user.body["AccessKeys"]
            if len(keys) == _KEYS_MAX:
                raise limit_exceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_MAX}")
            return {"AccessKeys": {**keys, key_id: {"Status": "Active", "CreateDate": now.isoformat()}}}

        user = await self._change_user(named_user(caller, request), add)
        return {
            "AccessKey": {
                "UserName": user.name,
                "AccessKeyId": key_id,
                "Status": "Active",
                "SecretAccessKey": self._secret_of(key_id),
                "CreateDate": now,
            }
        }

    @operation("ListAccessKeys")
    async def list_access_keys(self, caller: Caller, request: ListAccessKeysRequest) -> ListAccessKeysResponse:
        """A user's keys, without their secrets."""
        name = named_user(caller, request)
        user = await self._store.run(lambda tx: find_user(tx, name))
        items = [(key_id, _described(user, key_id)) for key_id in sorted(user.body["AccessKeys"])]
        keys, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"AccessKeyMetadata": keys, **paging}

    @operation("UpdateAccessKey")
    async def update_access_key(self, caller: Caller, request: UpdateAccessKeyRequest) -> None:
        """Put a key out of force, or back into it."""
        key_id, status = request["AccessKeyId"], request["Status"]
        if status == "Expired":
            raise invalid("The status of an access key can be set to Active or Inactive.")

        def update(_: Transaction, user: Document) -> dict[str, Any]:
            keys = _with_key(user, key_id)
            return {"AccessKeys": {**keys, key_id: {**keys[key_id], "Status": status}}}

        await self._change_user(named_user(caller, request), update)

    @operation("DeleteAccessKey")
    async def delete_access_key(self, caller: Caller, request: DeleteAccessKeyRequest) -> None:
        """Withdraw a key."""
        key_id = request["AccessKeyId"]

        def delete(_: Transaction, user: Document) -> dict[str, Any]:
            keys = _with_key(user, key_id)
            return {"AccessKeys": {other: key for other, key in keys.items() if other != key_id}}

        await self._change_user(named_user(caller, request), delete)


def _with_key(user: Document, key_id: str) -> dict[str, Any]:
    """The user's keys, of which `key_id` is one. Raises NoSuchEntity."""
    keys: dict[str, Any] = user.body["AccessKeys"]
    if key_id not in keys:
        raise no_such_access_key(key_id)
    return keys


def _described(user: Document, key_id: str) -> AccessKeyMetadata:
    key = user.body["AccessKeys"][key_id]
    return {
        "UserName": user.name,
        "AccessKeyId": key_id,
        "Status": key["Status"],
        "CreateDate": datetime.fromisoformat(key["CreateDate"]),
    }
