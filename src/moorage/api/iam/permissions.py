"""What a caller must be allowed to do for an operation of IAM's: the action on the entity or the policy that it names.

An ARN has the path of what it names, and names are looked up without regard to case: so the ARN is the one that is
stored, and only where there is none the one that would be. A refusal does not show it: it would tell which it was.
Source: service authorization reference, "Actions, resources, and condition keys for AWS Identity and Access
Management".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moorage.api.iam.part import NO_REGION
from moorage.api.service import Caller
from moorage.core.iam.principal import Requirement
from moorage.store.base import Documents, Transaction

_LISTS: Final = {"ListUsers": "user", "ListRoles": "role"}
_CREATES: Final = {
    "CreatePolicy": ("policy", "PolicyName"),
    "CreateRole": ("role", "RoleName"),
    "CreateUser": ("user", "UserName"),
}
_OF_THE_CALLER: Final = frozenset(
    {"CreateAccessKey", "DeleteAccessKey", "GetUser", "ListAccessKeys", "UpdateAccessKey"}
)
"""Operations that are about who calls where they name nobody."""


def requirements(tx: Transaction, operation: str, caller: Caller, request: Mapping[str, Any]) -> list[Requirement]:
    """The action on what `request` names; policies may go by the policy that is attached (`iam:PolicyARN`)."""
    policy_arn = request.get("PolicyArn")
    context = {"iam:policyarn": () if policy_arn is None else (policy_arn,)}
    resource, shown_as = _resource(tx, operation, caller, request)
    return [Requirement(f"iam:{operation}", resource, context, shown_as)]


def _resource(tx: Transaction, operation: str, caller: Caller, request: Mapping[str, Any]) -> tuple[str, str]:
    own = f"arn:aws:iam::{caller.account_id}:"
    if operation in _LISTS:
        return f"{own}{_LISTS[operation]}{request.get('PathPrefix', '/')}", ""
    if operation in _CREATES:
        kind, member = _CREATES[operation]
        return f"{own}{kind}{request.get('Path', '/')}{request[member]}", ""
    if "RoleName" in request:
        return _entity(tx.roles, f"{own}role/", "role", name=request["RoleName"])
    if "UserName" in request:
        return _entity(tx.users, f"{own}user/", "user", name=request["UserName"])
    if operation in _OF_THE_CALLER:
        return caller.arn, ""
    return request.get("PolicyArn", "*"), ""


def _entity(table: Documents, prefix: str, word: str, *, name: str) -> tuple[str, str]:
    stored = table.get(NO_REGION, name)
    return (prefix + name if stored is None else stored.arn), f"{word} {name}"
