"""What bearer keys have in common, whatever they open: how one is made, kept and told of."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import BearerKeySummary
from moorage.store.base import Document, Transaction
from moorage.system.entropy import new_secret, new_uid

NO_REGION: Final = ""
_KEYS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key: its id, what is told, and what is kept."""

    id: str
    key: str
    kept: Mapping[str, str]


def make_key(description: str | None, *, now: datetime) -> MadeKey:
    """A key of 256 random bits, of which only the SHA-256 is kept: nothing slower is needed."""
    key = "moorage-" + base64.urlsafe_b64encode(new_secret(32)).decode().rstrip("=")
    kept = {"Digest": hashlib.sha256(key.encode()).hexdigest(), "CreateDate": now.isoformat()}
    return MadeKey("bk-" + new_uid(), key, kept if description is None else {**kept, "Description": description})


def add_key(tx: Transaction, document: Document, made: MadeKey, *, of: str, now: datetime) -> None:
    """Keep one more key. Raises ResourceLimitExceeded."""
    if len(document.body["Keys"]) == _KEYS_MAX:
        message = f"{of} can have {_KEYS_MAX} bearer keys. Delete one that is no longer used."
        raise ServiceError("ResourceLimitExceeded", message)
    _put_keys(tx, document, {**document.body["Keys"], made.id: made.kept}, now=now)


def remove_key(tx: Transaction, document: Document | None, key_id: str, *, of: str, now: datetime) -> None:
    """Withdraw a key. Raises ResourceNotFound."""
    if document is None or key_id not in document.body["Keys"]:
        raise ServiceError("ResourceNotFound", f"{of} has no bearer key {key_id}.")
    left = {other: kept for other, kept in document.body["Keys"].items() if other != key_id}
    _put_keys(tx, document, left, now=now)


def summaries(document: Document | None) -> list[BearerKeySummary]:
    """The keys, the oldest first."""
    keys = document.body["Keys"] if document else {}
    return sorted((_summary(*item) for item in keys.items()), key=lambda key: key["CreationTime"])


def _put_keys(tx: Transaction, document: Document, keys: Mapping[str, Any], *, now: datetime) -> None:
    tx.bearer_keys.delete(NO_REGION, document.name)
    if keys:
        tx.bearer_keys.insert(replace(document, modified_at=now, body={**document.body, "Keys": dict(keys)}))


def _summary(key_id: str, kept: Mapping[str, Any]) -> BearerKeySummary:
    summary: BearerKeySummary = {"KeyId": key_id, "CreationTime": datetime.fromisoformat(kept["CreateDate"])}
    if "Description" in kept:
        summary["Description"] = kept["Description"]
    return summary
