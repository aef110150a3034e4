"""The policies of an entity, a role or a user: managed ones attached to it, and inline ones that are its own.

What the operations on either have in common. The changes are decided here and answered as members of the entity's body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.api.iam.documents import INLINE_CHARACTERS_MAX, USER_CHARACTERS_MAX, significant_length
from moorage.api.iam.errors import limit_exceeded, no_such_inline_policy, no_such_policy, not_attachable
from moorage.api.iam.part import AWS_POLICY_PREFIX, Paging, find_policy, page_of
from moorage.aws.errors import ServiceError
from moorage.aws.types.iam import AttachedPolicy
from moorage.core.iam import aws_managed
from moorage.store.base import Document, Transaction

_ATTACHED_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of entity, as messages and quotas call it."""

    word: str
    attached_quota: str
    inline_characters_max: int


ROLE: Final = Entity("role", "PoliciesPerRole", INLINE_CHARACTERS_MAX)
USER: Final = Entity("user", "PoliciesPerUser", USER_CHARACTERS_MAX)


def check_attachable_to_role(tx: Transaction, arn: str) -> None:
    """Any of AWS's by its name: what a role may do is not evaluated. Raises NoSuchEntity."""
    if not arn.startswith(AWS_POLICY_PREFIX):
        _check_own(tx, arn)


def check_attachable_to_user(tx: Transaction, arn: str) -> None:
    """Of AWS's those whose document is known. Raises NoSuchEntity."""
    if aws_managed.document(arn) is None:
        _check_own(tx, arn)


def attached(kind: Entity, entity: Document, arn: str) -> dict[str, Any]:
    """With one policy more. Attached twice is attached. Raises LimitExceeded."""
    policies = entity.body["AttachedPolicies"]
    if arn in policies:
        return {}
    if len(policies) == _ATTACHED_MAX:
        raise limit_exceeded(f"Cannot exceed quota for {kind.attached_quota}: {_ATTACHED_MAX}")
    return {"AttachedPolicies": [*policies, arn]}


def detached(entity: Document, arn: str) -> dict[str, Any]:
    """With one policy less. Raises NoSuchEntity."""
    if arn not in entity.body["AttachedPolicies"]:
        raise no_such_policy(arn)
    return {"AttachedPolicies": [other for other in entity.body["AttachedPolicies"] if other != arn]}


def attached_page(entity: Document, request: Mapping[str, Any]) -> tuple[list[AttachedPolicy], Paging]:
    """The managed policies attached, by name."""
    prefix = request.get("PathPrefix", "/")
    items = sorted(
        (_name_of(arn).lower(), arn) for arn in entity.body["AttachedPolicies"] if _path_of(arn).startswith(prefix)
    )
    arns, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
    return [{"PolicyName": _name_of(arn), "PolicyArn": arn} for arn in arns], paging


def with_inline(kind: Entity, entity: Document, name: str, *, text: str) -> dict[str, Any]:
    """With an inline policy, in the place of one of the same name. Raises LimitExceeded."""
    policies = {**entity.body["InlinePolicies"], name: text}
    if sum(map(significant_length, policies.values())) > kind.inline_characters_max:
        raise limit_exceeded(
            f"Maximum policy size of {kind.inline_characters_max} bytes exceeded for {kind.word} {entity.name}"
        )
    return {"InlinePolicies": policies}


def inline_policy(kind: Entity, entity: Document, name: str) -> str:
    """The text of an inline policy. Raises NoSuchEntity."""
    document = entity.body["InlinePolicies"].get(name)
    if document is None:
        raise no_such_inline_policy(kind.word, name)
    return str(document)


def without_inline(kind: Entity, entity: Document, name: str) -> dict[str, Any]:
    """Without an inline policy. Raises NoSuchEntity."""
    inline_policy(kind, entity, name)
    return {"InlinePolicies": {other: text for other, text in entity.body["InlinePolicies"].items() if other != name}}


def inline_page(entity: Document, request: Mapping[str, Any]) -> tuple[list[str], Paging]:
    """The names of the inline policies."""
    items = [(name, name) for name in sorted(entity.body["InlinePolicies"])]
    return page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))


def _check_own(tx: Transaction, arn: str) -> None:
    try:
        find_policy(tx, arn)
    except ServiceError:
        raise not_attachable(arn) from None


def _name_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _path_of(arn: str) -> str:
    """`/service-role/` for `arn:aws:iam::aws:policy/service-role/Name`."""
    return arn[arn.index("/") : arn.rindex("/") + 1]
