"""What a role may do: managed policies attached to it, and inline ones that are its own."""

from __future__ import annotations

from typing import Any, Final

from moorage.api.iam.documents import (
    INLINE_CHARACTERS_MAX,
    check_identity_policy,
    encoded,
    significant_length,
)
from moorage.api.iam.errors import (
    limit_exceeded,
    no_such_inline_policy,
    no_such_policy,
    not_attachable,
)
from moorage.api.iam.part import AWS_POLICY_PREFIX, Part, find_policy, find_role, page_of
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.iam import (
    AttachedPolicy,
    AttachRolePolicyRequest,
    DeleteRolePolicyRequest,
    DetachRolePolicyRequest,
    GetRolePolicyRequest,
    GetRolePolicyResponse,
    ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse,
    ListRolePoliciesRequest,
    ListRolePoliciesResponse,
    PutRolePolicyRequest,
)
from moorage.store.base import Document, Transaction

_ATTACHED_MAX: Final = 10


class RolePolicies(Part):
    """The operations on a role's policies."""

    @operation("AttachRolePolicy")
    async def attach_role_policy(self, _: Caller, request: AttachRolePolicyRequest) -> None:
        """Attach a policy of the account, or any of AWS's own by its ARN. Attached twice is attached."""
        arn = request["PolicyArn"]

        def attach(tx: Transaction, role: Document) -> dict[str, Any]:
            _check_attachable(tx, arn)
            attached = role.body["AttachedPolicies"]
            if arn in attached:
                return {}
            if len(attached) == _ATTACHED_MAX:
                raise limit_exceeded(f"Cannot exceed quota for PoliciesPerRole: {_ATTACHED_MAX}")
            return {"AttachedPolicies": [*attached, arn]}

        await self._change_role(request["RoleName"], attach)

    @operation("DetachRolePolicy")
    async def detach_role_policy(self, _: Caller, request: DetachRolePolicyRequest) -> None:
        """Detach a policy."""
        arn = request["PolicyArn"]

        def detach(_: Transaction, role: Document) -> dict[str, Any]:
            if arn not in role.body["AttachedPolicies"]:
                raise no_such_policy(arn)
            return {"AttachedPolicies": [other for other in role.body["AttachedPolicies"] if other != arn]}

        await self._change_role(request["RoleName"], detach)

    @operation("ListAttachedRolePolicies")
    async def list_attached_role_policies(
        self, _: Caller, request: ListAttachedRolePoliciesRequest
    ) -> ListAttachedRolePoliciesResponse:
        """The managed policies attached to a role, by name."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        prefix = request.get("PathPrefix", "/")
        items = sorted(
            (_name_of(arn).lower(), arn) for arn in role.body["AttachedPolicies"] if _path_of(arn).startswith(prefix)
        )
        arns, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        policies: list[AttachedPolicy] = [{"PolicyName": _name_of(arn), "PolicyArn": arn} for arn in arns]
        return {"AttachedPolicies": policies, **paging}

    @operation("PutRolePolicy")
    async def put_role_policy(self, _: Caller, request: PutRolePolicyRequest) -> None:
        """Write an inline policy, over one of the same name."""
        check_identity_policy(request["PolicyDocument"])

        def put(_: Transaction, role: Document) -> dict[str, Any]:
            policies = {**role.body["InlinePolicies"], request["PolicyName"]: request["PolicyDocument"]}
            if sum(map(significant_length, policies.values())) > INLINE_CHARACTERS_MAX:
                message = f"Maximum policy size of {INLINE_CHARACTERS_MAX} bytes exceeded for role {role.name}"
                raise limit_exceeded(message)
            return {"InlinePolicies": policies}

        await self._change_role(request["RoleName"], put)

    @operation("GetRolePolicy")
    async def get_role_policy(self, _: Caller, request: GetRolePolicyRequest) -> GetRolePolicyResponse:
        """One inline policy."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        name = request["PolicyName"]
        document = role.body["InlinePolicies"].get(name)
        if document is None:
            raise no_such_inline_policy(name)
        return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(document)}

    @operation("ListRolePolicies")
    async def list_role_policies(self, _: Caller, request: ListRolePoliciesRequest) -> ListRolePoliciesResponse:
        """The names of a role's inline policies."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        items = [(name, name) for name in sorted(role.body["InlinePolicies"])]
        names, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"PolicyNames": names, **paging}

    @operation("DeleteRolePolicy")
    async def delete_role_policy(self, _: Caller, request: DeleteRolePolicyRequest) -> None:
        """Remove an inline policy."""
        name = request["PolicyName"]

        def delete(_: Transaction, role: Document) -> dict[str, Any]:
            if name not in role.body["InlinePolicies"]:
                raise no_such_inline_policy(name)
            left = {other: text for other, text in role.body["InlinePolicies"].items() if other != name}
            return {"InlinePolicies": left}

        await self._change_role(request["RoleName"], delete)


def _check_attachable(tx: Transaction, arn: str) -> None:
    if arn.startswith(AWS_POLICY_PREFIX):
        return
    try:
        find_policy(tx, arn)
    except ServiceError:
        raise not_attachable(arn) from None


def _name_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _path_of(arn: str) -> str:
    """`/service-role/` for `arn:aws:iam::aws:policy/service-role/Name`."""
    return arn[arn.index("/") : arn.rindex("/") + 1]
