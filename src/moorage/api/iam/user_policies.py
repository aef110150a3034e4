"""What a user may do: managed policies attached to it, and inline ones that are its own.

Whatever is changed here is in force, at control and at every gateway, when the call is answered.
"""

from __future__ import annotations

from typing import Any

from moorage.api.iam import entity_policies as policies
from moorage.api.iam.documents import check_identity_policy, encoded
from moorage.api.iam.entity_policies import USER
from moorage.api.iam.part import Part, find_user
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    AttachUserPolicyRequest,
    DeleteUserPolicyRequest,
    DetachUserPolicyRequest,
    GetUserPolicyRequest,
    GetUserPolicyResponse,
    ListAttachedUserPoliciesRequest,
    ListAttachedUserPoliciesResponse,
    ListUserPoliciesRequest,
    ListUserPoliciesResponse,
    PutUserPolicyRequest,
)
from moorage.store.base import Document, Transaction


class UserPolicies(Part):
    """The operations on a user's policies."""

    @operation("AttachUserPolicy")
    async def attach_user_policy(self, _: Caller, request: AttachUserPolicyRequest) -> None:
        """Attach a policy of the account, or one of AWS's own that Moorage has the document of."""
        arn = request["PolicyArn"]

        def attach(tx: Transaction, user: Document) -> dict[str, Any]:
            policies.check_attachable_to_user(tx, arn)
            return policies.attached(USER, user, arn)

        await self._change_user(request["UserName"], attach)

    @operation("DetachUserPolicy")
    async def detach_user_policy(self, _: Caller, request: DetachUserPolicyRequest) -> None:
        """Detach a policy."""
        await self._change_user(request["UserName"], lambda _, user: policies.detached(user, request["PolicyArn"]))

    @operation("ListAttachedUserPolicies")
    async def list_attached_user_policies(
        self, _: Caller, request: ListAttachedUserPoliciesRequest
    ) -> ListAttachedUserPoliciesResponse:
        """The managed policies attached to a user, by name."""
        user = await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        page, paging = policies.attached_page(user, request)
        return {"AttachedPolicies": page, **paging}

    @operation("PutUserPolicy")
    async def put_user_policy(self, _: Caller, request: PutUserPolicyRequest) -> None:
        """Write an inline policy, over one of the same name."""
        name, text = request["PolicyName"], request["PolicyDocument"]
        check_identity_policy(text)
        await self._change_user(request["UserName"], lambda _, user: policies.with_inline(USER, user, name, text=text))

    @operation("GetUserPolicy")
    async def get_user_policy(self, _: Caller, request: GetUserPolicyRequest) -> GetUserPolicyResponse:
        """One inline policy."""
        user = await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        name = request["PolicyName"]
        text = policies.inline_policy(USER, user, name)
        return {"UserName": user.name, "PolicyName": name, "PolicyDocument": encoded(text)}

    @operation("ListUserPolicies")
    async def list_user_policies(self, _: Caller, request: ListUserPoliciesRequest) -> ListUserPoliciesResponse:
        """The names of a user's inline policies."""
        user = await self._store.run(lambda tx: find_user(tx, request["UserName"]))
        names, paging = policies.inline_page(user, request)
        return {"PolicyNames": names, **paging}

    @operation("DeleteUserPolicy")
    async def delete_user_policy(self, _: Caller, request: DeleteUserPolicyRequest) -> None:
        """Remove an inline policy."""
        await self._change_user(
            request["UserName"], lambda _, user: policies.without_inline(USER, user, request["PolicyName"])
        )
