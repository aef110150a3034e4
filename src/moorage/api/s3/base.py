"""What the operations of every kind share: the store, tokens, and the life of a call before and after its handler."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import wraps
from typing import Any

from moorage.api.s3.errors import answering
from moorage.api.s3.names import check_key, check_version_id
from moorage.api.s3.permissions import requirements
from moorage.api.s3.tokens import Tokens
from moorage.api.s3.unsupported import refuse_unsupported
from moorage.api.service import Caller, Handler, Service
from moorage.core.iam.principal import Requirement
from moorage.objects.store import ObjectStore


class S3Operations(Service):
    """Base of the operations' classes."""

    name = "s3"

    def __init__(self, store: ObjectStore, *, token_key: bytes) -> None:
        self.store = store
        self.tokens = Tokens(token_key)

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """See `permissions`."""
        return requirements(operation, request)

    def handlers(self) -> Mapping[str, Handler]:
        """The operations, each behind the checks that all share and with the store's refusals in S3's words."""
        return {name: answering(_checked(handler)) for name, handler in super().handlers().items()}


def owner_of(account_id: str) -> dict[str, str]:
    """The canonical user of an account: 64 hexadecimal digits that stand for it."""
    return {"ID": hashlib.sha256(f"canonical user {account_id}".encode()).hexdigest()}


def _checked(handler: Handler) -> Handler:
    @wraps(handler)
    async def checked(caller: Caller, request: Any) -> Any:
        refuse_unsupported(caller, request)
        check_key(request.get("Key", ""))
        check_version_id(request.get("VersionId"))
        return await handler(caller, request)

    return checked
