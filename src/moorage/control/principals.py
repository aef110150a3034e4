"""Who may call, by what the store has of users: the holders of keys for control, keys and permissions for the gateways.

All of it is read again at every change, which is rare and takes well under a millisecond a hundred users. A policy that
cannot be read costs its user every permission: half of what was meant may be more than was meant.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from moorage.core.iam import aws_managed
from moorage.core.iam.policy import PolicyUnreadable, Statement, parse
from moorage.core.iam.principal import KeyHolder, Principal, user
from moorage.core.routes import Access, AccessKey, BearerKey, InvokePermission
from moorage.store.base import Document, Documents, ListQuery, Store, Transaction

_ROWS_AT_ONCE: Final = 1000
_NO_REGION: Final = ""

_log = logging.getLogger(__name__)


class Principals:
    """The users and root. `find` is the key ring of the API; what it answers is as of the last `load`."""

    def __init__(self, store: Store, *, root: Mapping[str, KeyHolder], secret_of: Callable[[str], str]) -> None:
        self._store = store
        self._root = dict(root)
        self._secret_of = secret_of
        self._holders: Mapping[str, KeyHolder] = self._root

    def find(self, access_key_id: str) -> KeyHolder | None:
        """Who holds a key that is in force."""
        return self._holders.get(access_key_id)

    async def load(self) -> Access:
        """Go by what is stored now, and answer what the gateways are to go by. Raises StoreUnavailable."""
        holders, bearer_keys = await self._store.run(lambda tx: (dict(self._read(tx)), _bearer_keys(tx)))
        self._holders = {**self._root, **holders}
        return replace(_access(self._holders), bearer_keys=bearer_keys)

    def _read(self, tx: Transaction) -> Iterator[tuple[str, KeyHolder]]:
        for stored in _all_of(tx.users):
            active = [key_id for key_id, key in stored.body["AccessKeys"].items() if key["Status"] == "Active"]
            if active:
                principal = _principal(tx, stored)
                for key_id in active:
                    yield key_id, KeyHolder(self._secret_of(key_id), principal)


def invoke_permission(principal: Principal) -> InvokePermission:
    """What a principal's policies come to at a gateway, which knows nothing of a request but who sends it."""
    return InvokePermission(
        invoke=principal.grant("sagemaker:InvokeEndpoint"),
        invoke_async=principal.grant("sagemaker:InvokeEndpointAsync"),
        invoke_stream=principal.grant("sagemaker:InvokeEndpointWithResponseStream"),
    )


def _access(holders: Mapping[str, KeyHolder]) -> Access:
    principals = {holder.principal.arn: holder.principal for holder in holders.values()}
    return Access(
        keys={
            key_id: AccessKey(holder.secret, holder.principal.arn, holder.principal.account_id)
            for key_id, holder in holders.items()
        },
        permissions={arn: invoke_permission(principal) for arn, principal in principals.items()},
    )


def _principal(tx: Transaction, stored: Document) -> Principal:
    return user(
        stored.arn,
        stored.body["UserId"],
        account_id=stored.arn.split(":")[4],
        name=stored.name,
        tags=tx.tags.get(stored.arn),
        statements=_statements(tx, stored),
    )


def _statements(tx: Transaction, stored: Document) -> tuple[Statement, ...]:
    try:
        attached = [_managed(tx, arn) for arn in stored.body["AttachedPolicies"]]
        inline = [_parsed(text) for text in stored.body["InlinePolicies"].values()]
    except PolicyUnreadable as error:
        _log.error("user %s may do nothing: %s", stored.name, error)
        return ()
    return tuple(statement for policy in (*attached, *inline) for statement in policy)


def _managed(tx: Transaction, arn: str) -> tuple[Statement, ...]:
    document = aws_managed.document(arn)
    if document is not None:
        return parse(document)
    policy = tx.policies.get(_NO_REGION, arn.rpartition("/")[2])
    if policy is None or policy.arn != arn:
        raise PolicyUnreadable(f"there is no policy {arn}")
    return _parsed(policy.body["Versions"][policy.body["DefaultVersionId"]]["Document"])


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Statement, ...]:
    try:
        return parse(msgspec.json.decode(text, type=dict))
    except msgspec.MsgspecError as error:
        raise PolicyUnreadable(str(error)) from error


def _bearer_keys(tx: Transaction) -> dict[str, BearerKey]:
    return {
        key["Digest"]: BearerKey(key_id, stored.body["Region"], stored.body["EndpointName"])
        for stored in _all_of(tx.bearer_keys)
        for key_id, key in stored.body["Keys"].items()
    }


def _all_of(table: Documents) -> Iterator[Document]:
    query = ListQuery(_NO_REGION, limit=_ROWS_AT_ONCE, sort_by="Name", ascending=True)
    while True:
        page = table.list(query)
        yield from page.rows
        if page.next_after is None:
            return
        query = replace(query, after=page.next_after)
