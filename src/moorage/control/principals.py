"""Who may call, by what the store has of users: the holders of keys for control, keys and permissions for the gateways.

All users are read again at every change, which is rare. A policy that cannot be read costs its user every permission:
half of what was meant may be more than was meant.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from moorage.core.iam import aws_managed
from moorage.core.iam.policy import PolicyUnreadable, Statement, parse
from moorage.core.iam.principal import KeyHolder, Principal, user
from moorage.core.names import METRICS_KEYS_NAME
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
        users, bearer_keys = await self._store.run(lambda tx: (list(_read_users(tx)), _bearer_keys(tx)))
        self._holders = self._root | {
            key_id: KeyHolder(self._secret_of(key_id), _resolve(each).principal)
            for each in users
            for key_id in each.key_ids
        }
        root = {holder.principal.arn: invoke_permission(holder.principal) for holder in self._root.values()}
        return Access(
            keys={
                key_id: AccessKey(holder.secret, holder.principal.arn, holder.principal.account_id)
                for key_id, holder in self._holders.items()
            },
            permissions=root | {each.arn: _resolve(each).permission for each in users},
            bearer_keys=bearer_keys,
        )


def invoke_permission(principal: Principal) -> InvokePermission:
    """What a principal's policies come to at a gateway, which knows who sends a request and whom it is for."""
    return InvokePermission(
        invoke=principal.grant("sagemaker:InvokeEndpoint"),
        invoke_async=principal.grant("sagemaker:InvokeEndpointAsync"),
        invoke_stream=principal.grant("sagemaker:InvokeEndpointWithResponseStream"),
    )


class _User(NamedTuple):
    """All that a user's permissions follow from. `policies` are texts, None for one that is not there."""

    arn: str
    id: str
    name: str
    tags: tuple[tuple[str, str], ...]
    policies: tuple[str | None, ...]
    key_ids: tuple[str, ...]


class _Resolved(NamedTuple):
    principal: Principal
    permission: InvokePermission


# A change is one user's, and all are read: remembering the others saves two thirds of the time it takes.
@functools.lru_cache(maxsize=16_384)
def _resolve(found: _User) -> _Resolved:
    principal = user(
        found.arn,
        found.id,
        account_id=found.arn.split(":")[4],
        name=found.name,
        tags=dict(found.tags),
        statements=_statements(found),
    )
    return _Resolved(principal, invoke_permission(principal))


def _statements(found: _User) -> tuple[Statement, ...]:
    try:
        return tuple(statement for text in found.policies for statement in _parsed(text))
    except PolicyUnreadable as error:
        _log.error("user %s may do nothing: %s", found.name, error)
        return ()


def _parsed(text: str | None) -> tuple[Statement, ...]:
    if text is None:
        raise PolicyUnreadable("a policy that is attached is not there")
    try:
        return parse(msgspec.json.decode(text, type=dict))
    except msgspec.MsgspecError as error:
        raise PolicyUnreadable(str(error)) from error


def _read_users(tx: Transaction) -> Iterator[_User]:
    """The users who have a key in force."""
    for stored in _all_of(tx.users):
        body = stored.body
        key_ids = tuple(key_id for key_id, key in body["AccessKeys"].items() if key["Status"] == "Active")
        if key_ids:
            attached = (_managed(tx, arn) for arn in body["AttachedPolicies"])
            policies = (*attached, *body["InlinePolicies"].values())
            yield _User(stored.arn, body["UserId"], stored.name, tuple(body["Tags"].items()), policies, key_ids)


def _managed(tx: Transaction, arn: str) -> str | None:
    if (document := aws_managed.document(arn)) is not None:
        return msgspec.json.encode(document).decode()
    policy = tx.policies.get(_NO_REGION, arn.rpartition("/")[2])
    if policy is None or policy.arn != arn:
        return None
    return str(policy.body["Versions"][policy.body["DefaultVersionId"]]["Document"])


def _bearer_keys(tx: Transaction) -> dict[str, BearerKey]:
    return {
        key["Digest"]: BearerKey(key_id, stored.body["Region"], stored.body["EndpointName"])
        for stored in _all_of(tx.bearer_keys)
        if stored.name != METRICS_KEYS_NAME
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
