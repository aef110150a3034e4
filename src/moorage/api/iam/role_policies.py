"""What a role may do: managed policies attached to it, and inline ones that are its own. Kept, not evaluated."""

from __future__ import annotations

from typing import Any

from moorage.api.iam import entity_policies as policies
from moorage.api.iam.documents import check_identity_policy, encoded
from moorage.api.iam.entity_policies import ROLE
from moorage.api.iam.part import Part, find_role
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
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


class RolePolicies(Part):
    """The operations on a role's policies."""

    @operation("AttachRolePolicy")
    async def attach_role_policy(self, _: Caller, request: AttachRolePolicyRequest) -> None:
        """Attach a policy of the account, or any of AWS's own by its ARN."""
        arn = request["PolicyArn"]

        def attach(tx: Transaction, role: Document) -> dict[str, Any]:
            policies.check_attachable_to_role(tx, arn)
            return policies.attached(ROLE, role, arn)

        await self._change_role(request["RoleName"], attach)

    @operation("DetachRolePolicy")
    async def detach_role_policy(self, _: Caller, request: DetachRolePolicyRequest) -> None:
        """Detach a policy."""
        await self._change_role(request["RoleName"], lambda _, role: policies.detached(role, request["PolicyArn"]))

    @operation("ListAttachedRolePolicies")
    async def list_attached_role_policies(
        self, _: Caller, request: ListAttachedRolePoliciesRequest
    ) -> ListAttachedRolePoliciesResponse:
        """The managed policies attached to a role, by name."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        page, paging = policies.attached_page(role, request)
        return {"AttachedPolicies": page, **paging}

    @operation("PutRolePolicy")
    async def put_role_policy(self, _: Caller, request: PutRolePolicyRequest) -> None:
        """Write an inline policy, over one of the same name."""
        name, text = request["PolicyName"], request["PolicyDocument"]
        check_identity_policy(text)
        await self._change_role(request["RoleName"], lambda _, role: policies.with_inline(ROLE, role, name, text=text))

    @operation("GetRolePolicy")
    async def get_role_policy(self, _: Caller, request: GetRolePolicyRequest) -> GetRolePolicyResponse:
        """One inline policy."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        name = request["PolicyName"]
        text = policies.inline_policy(ROLE, role, name)
        return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(text)}

    @operation("ListRolePolicies")
    async def list_role_policies(self, _: Caller, request: ListRolePoliciesRequest) -> ListRolePoliciesResponse:
        """The names of a role's inline policies."""
        role = await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        names, paging = policies.inline_page(role, request)
        return {"PolicyNames": names, **paging}

    @operation("DeleteRolePolicy")
    async def delete_role_policy(self, _: Caller, request: DeleteRolePolicyRequest) -> None:
        """Remove an inline policy."""
        await self._change_role(
            request["RoleName"], lambda _, role: policies.without_inline(ROLE, role, request["PolicyName"])
        )
