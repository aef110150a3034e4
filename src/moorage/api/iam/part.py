"""What the parts of the IAM service have in common: names and ids, finding and keeping documents, pages.

A role's body holds the members of its `Role`, its documents as text, the ARNs of the policies attached to it and its
inline policies; a user's likewise, and its access keys by id, without their secrets; a policy's body those of its
`Policy` and its versions. Tags are in the store's own table, but for a user's: policies may go by them, so they are in
its body.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final, NotRequired, TypedDict, TypeVar

from moorage.api.iam.errors import invalid, limit_exceeded, no_such_policy, no_such_role, no_such_user
from moorage.api.service import Caller, Service
from moorage.aws.types.iam import Tag
from moorage.store.base import Document, Documents, ListQuery, Store, Transaction
from moorage.system.clock import Clock
from moorage.system.entropy import new_secret

NO_REGION: Final = ""
AWS_POLICY_PREFIX: Final = "arn:aws:iam::aws:policy/"
AWS_POLICY_VERSION: Final = "v1"

_PAGE_DEFAULT: Final = 100
_TAGS_MAX: Final = 50
_ROWS_AT_ONCE: Final = 1000

T = TypeVar("T")


class Paging(TypedDict):
    """How a list's answer says that there is more."""

    IsTruncated: bool
    Marker: NotRequired[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the operations act through.

    `enforce` returns once everybody goes by what is stored of users, their keys and policies. `secret_of` answers the
    secret of an access key id.
    """

    store: Store
    clock: Clock
    enforce: Callable[[], Awaitable[None]]
    secret_of: Callable[[str], str]


class Part(Service):
    """Some of the operations."""

    name: ClassVar[str] = "iam"

    def __init__(self, needs: Needs) -> None:
        self._store = needs.store
        self._clock = needs.clock
        self._enforce = needs.enforce
        self._secret_of = needs.secret_of

    async def _change_role(self, name: str, decide: Callable[[Transaction, Document], Mapping[str, Any]]) -> Document:
        """Save the members that `decide` answers for the role of that name; answers the role."""

        def change(tx: Transaction) -> Document:
            role = find_role(tx, name)
            role = changed(role, self._clock.now(), **decide(tx, role))
            tx.roles.replace(role)
            return role

        return await self._store.run(change)

    async def _change_user(self, name: str, decide: Callable[[Transaction, Document], Mapping[str, Any]]) -> Document:
        """Save the members that `decide` answers for the user of that name, and enforce them; answers the user."""

        def change(tx: Transaction) -> Document:
            user = find_user(tx, name)
            user = changed(user, self._clock.now(), **decide(tx, user))
            tx.users.replace(user)
            return user

        user = await self._store.run(change)
        await self._enforce()
        return user


def named_user(caller: Caller, request: Mapping[str, Any]) -> str:
    """The name of the user that a call is about: who calls, if none is named. Raises ValidationError for root."""
    name = request.get("UserName", caller.user_name)
    if not name:
        raise invalid("Must specify userName when calling with non-User credentials")
    return str(name)


def find_user(tx: Transaction, name: str) -> Document:
    """Raises NoSuchEntity."""
    user = tx.users.get(NO_REGION, name)
    if user is None:
        raise no_such_user(name)
    return user


def find_role(tx: Transaction, name: str) -> Document:
    """Raises NoSuchEntity."""
    role = tx.roles.get(NO_REGION, name)
    if role is None:
        raise no_such_role(name)
    return role


def find_policy(tx: Transaction, arn: str) -> Document:
    """A policy of this account. Raises NoSuchEntity."""
    policy = tx.policies.get(NO_REGION, arn.rpartition("/")[2])
    if policy is None or policy.arn != arn:
        raise no_such_policy(arn)
    return policy


def all_of(table: Documents, *, path_prefix: str = "/") -> list[Document]:
    """Every document below a path, by name."""
    query = ListQuery(NO_REGION, limit=_ROWS_AT_ONCE, sort_by="Name", ascending=True)
    found: list[Document] = []
    while True:
        page = table.list(query)
        found += [document for document in page.rows if document.body["Path"].startswith(path_prefix)]
        if page.next_after is None:
            return found
        query = replace(query, after=page.next_after)


def changed(document: Document, now: datetime, /, **members: Any) -> Document:
    """`document` with other values for some members of its body; None takes a member out."""
    body = {name: value for name, value in {**document.body, **members}.items() if value is not None}
    return replace(document, modified_at=now, body=body)


def new_id(prefix: str) -> str:
    """A unique id such as IAM's: four letters for the kind and seventeen drawn ones."""
    return prefix + base64.b32encode(new_secret(11)).decode()[:17]


def put_tags(tx: Transaction, arn: str, tags: Sequence[Tag]) -> None:
    """Add tags to those that are there. Raises LimitExceeded."""
    added = {tag["Key"]: tag["Value"] for tag in tags}
    check_tag_count({**tx.tags.get(arn), **added})
    tx.tags.put(arn, added)


def check_tag_count(tags: Mapping[str, str]) -> None:
    """Raises LimitExceeded."""
    if len(tags) > _TAGS_MAX:
        raise limit_exceeded(f"The number of tags has reached the maximum limit of {_TAGS_MAX}.")


def tag_list(tags: dict[str, str]) -> list[Tag]:
    """Tags as they travel."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def page_of(items: Sequence[tuple[str, T]], *, marker: str | None, max_items: int | None) -> tuple[list[T], Paging]:
    """A page of `items`, which are sorted by the names beside them, and where the next page goes on.

    A marker holds the name of the last item before it, so that what is deleted meanwhile does no harm. Raises
    ValidationError for one that was not given out.
    """
    start = 0 if marker is None else sum(name <= _read_marker(marker) for name, _ in items)
    rows = items[start : start + (max_items or _PAGE_DEFAULT)]
    paging: Paging = {"IsTruncated": start + len(rows) < len(items)}
    if paging["IsTruncated"]:
        paging["Marker"] = base64.urlsafe_b64encode(rows[-1][0].encode()).decode()
    return [item for _, item in rows], paging


def _read_marker(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("Invalid Marker.") from None
