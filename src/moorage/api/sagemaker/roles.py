"""Whether SageMaker may assume an execution role: it exists, and its trust policy says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.store.base import Transaction

_PRINCIPAL: Final = "sagemaker.amazonaws.com"
_ROLES_REGION: Final = ""
_ASSUME: Final = frozenset({"sts:assumerole", "sts:*", "*"})


def may_assume(tx: Transaction, role_arn: str) -> bool:
    """Whether the role of that ARN exists and lets SageMaker assume it."""
    role = tx.roles.get(_ROLES_REGION, role_arn.rpartition("/")[2])
    return role is not None and role.arn == role_arn and trusts_sagemaker(role.body["AssumeRolePolicyDocument"])


def trusts_sagemaker(policy: str) -> bool:
    """Whether a trust policy, as JSON text, has a statement that allows SageMaker to assume the role."""
    statements = _as_list(msgspec.json.decode(policy).get("Statement", []))
    return any(_allows(statement) for statement in statements)


def _allows(statement: Mapping[str, Any]) -> bool:
    actions = {action.lower() for action in _as_list(statement.get("Action", []))}
    return statement.get("Effect") == "Allow" and not actions.isdisjoint(_ASSUME) and _names_sagemaker(statement)


def _names_sagemaker(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return _PRINCIPAL in _as_list(principal.get("Service", []))
    return principal == "*"


def _as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the thing itself."""
    return value if isinstance(value, list) else [value]
