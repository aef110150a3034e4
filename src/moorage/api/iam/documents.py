"""Policy documents: checked when they are written, so that whoever evaluates one later can rely on its form.

Documents are kept as the text they came in, as IAM does, and answered percent-encoded; botocore decodes them.
Source: IAM user guide, "IAM JSON policy element reference" and "IAM and AWS STS quotas".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from moorage.api.iam.errors import limit_exceeded, malformed
from moorage.core.iam.conditions import is_operator

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_TRUST_CHARACTERS_MAX: Final = 2048
_MANAGED_CHARACTERS_MAX: Final = 6144
INLINE_CHARACTERS_MAX: Final = 10240
USER_CHARACTERS_MAX: Final = 2048

_POLICY_MEMBERS: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS: Final = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PRINCIPAL_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


def check_trust_policy(text: str) -> None:
    """A role's trust policy: who may assume it. Raises MalformedPolicyDocument, LimitExceeded."""
    for statement in _statements(text):
        if "Resource" in statement or "NotResource" in statement:
            raise malformed("Has prohibited field Resource")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise malformed("Missing required field Principal")
        _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
        if not all(action == "*" or action.lower().startswith("sts:") for action in _actions(statement)):
            raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    if significant_length(text) > _TRUST_CHARACTERS_MAX:
        raise limit_exceeded(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_CHARACTERS_MAX}")


def check_identity_policy(text: str) -> None:
    """A managed or inline policy: what its holder may do. Raises MalformedPolicyDocument."""
    for statement in _statements(text):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise malformed("Policy document should not specify a principal.")
        if not _actions(statement):
            raise malformed("Policy statement must contain actions.")
        resources = as_list(statement.get("Resource", statement.get("NotResource", [])))
        if not resources:
            raise malformed("Policy statement must contain resources.")
        for resource in resources:
            if not isinstance(resource, str) or not (resource == "*" or resource.startswith("arn:")):
                raise malformed(f'Resource {resource} must be in ARN format or "*".')


def check_managed_size(text: str) -> None:
    """Raises LimitExceeded."""
    if significant_length(text) > _MANAGED_CHARACTERS_MAX:
        raise limit_exceeded(f"Cannot exceed quota for PolicySize: {_MANAGED_CHARACTERS_MAX}")


def significant_length(text: str) -> int:
    """The length that counts against quotas: IAM does not count white space."""
    return len("".join(text.split()))


def encoded(text: str) -> str:
    """A document as IAM answers it: percent-encoded after RFC 3986."""
    return quote(text, safe="")


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the thing itself."""
    return value if isinstance(value, list) else [value]


def _statements(text: str) -> list[Mapping[str, Any]]:
    try:
        policy = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise malformed("This policy contains invalid Json") from None
    if not isinstance(policy, dict) or not policy.keys() <= _POLICY_MEMBERS:
        raise malformed("Syntax errors in policy.")
    if policy.get("Version", _VERSIONS[-1]) not in _VERSIONS:
        raise malformed("Policy document must be version 2012-10-17 or greater.")
    if not policy.get("Statement"):
        raise malformed("Missing required field Statement")
    statements = as_list(policy["Statement"])
    for statement in statements:
        _check_statement(statement)
    return statements


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT_MEMBERS:
        raise malformed("Syntax errors in policy.")
    if "Effect" not in statement:
        raise malformed("Missing required field Effect")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect: {statement['Effect']}")
    _check_condition(statement.get("Condition", {}))
    for member in ("Principal", "Action", "Resource"):
        if member in statement and f"Not{member}" in statement:
            raise malformed(f"Statement must not contain both {member} and Not{member}.")
    if "Action" not in statement and "NotAction" not in statement:
        raise malformed("Missing required field Action")
    for action in _actions(statement):
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        raise malformed("Syntax errors in policy.")
    for operator, keys in condition.items():
        if not is_operator(operator) or not isinstance(keys, dict):
            raise malformed("Syntax errors in policy.")
        if not all(isinstance(value, str | int | float) for values in keys.values() for value in as_list(values)):
            raise malformed("Syntax errors in policy.")


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not principal.keys() <= _PRINCIPAL_KINDS:
        raise malformed("Invalid principal in policy.")
    if not all(isinstance(name, str) and name for names in principal.values() for name in as_list(names)):
        raise malformed("Invalid principal in policy.")


def _actions(statement: Mapping[str, Any]) -> list[Any]:
    return as_list(statement.get("Action", statement.get("NotAction", [])))
