"""Roles: CreateRole, GetRole, ListRoles, UpdateRole, UpdateAssumeRolePolicy, DeleteRole, and their tags."""

from __future__ import annotations

from typing import Any, Final

from moorage.api.iam.documents import check_trust_policy, encoded
from moorage.api.iam.errors import delete_conflict, role_exists
from moorage.api.iam.part import (
    NO_REGION,
    Part,
    all_of,
    changed,
    find_role,
    new_id,
    page_of,
    put_tags,
    tag_list,
)
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    CreateRoleRequest,
    CreateRoleResponse,
    DeleteRoleRequest,
    GetRoleRequest,
    GetRoleResponse,
    ListInstanceProfilesForRoleRequest,
    ListInstanceProfilesForRoleResponse,
    ListRolesRequest,
    ListRolesResponse,
    ListRoleTagsRequest,
    ListRoleTagsResponse,
    Role,
    TagRoleRequest,
    UntagRoleRequest,
    UpdateAssumeRolePolicyRequest,
    UpdateRoleDescriptionRequest,
    UpdateRoleDescriptionResponse,
    UpdateRoleRequest,
    UpdateRoleResponse,
)
from moorage.store.base import AlreadyExists, Document, Transaction

_SESSION_SECONDS_DEFAULT: Final = 3600


class Roles(Part):
    """The operations on roles themselves."""

    @operation("CreateRole")
    async def create_role(self, caller: Caller, request: CreateRoleRequest) -> CreateRoleResponse:
        """Keep a role."""
        check_trust_policy(request["AssumeRolePolicyDocument"])
        now = self._clock.now()
        name, path = request["RoleName"], request.get("Path", "/")
        body: dict[str, Any] = {
            "Path": path,
            "RoleId": new_id("AROA"),
            "AssumeRolePolicyDocument": request["AssumeRolePolicyDocument"],
            "Description": request.get("Description"),
            "MaxSessionDuration": request.get("MaxSessionDuration", _SESSION_SECONDS_DEFAULT),
            "PermissionsBoundary": request.get("PermissionsBoundary"),
            "AttachedPolicies": [],
            "InlinePolicies": {},
        }
        arn = f"arn:aws:iam::{caller.account_id}:role{path}{name}"
        role = changed(Document(NO_REGION, name, arn, now, now, body), now)

        def create(tx: Transaction) -> None:
            try:
                tx.roles.insert(role)
            except AlreadyExists:
                raise role_exists(name) from None
            put_tags(tx, arn, request.get("Tags", []))

        await self._store.run(create)
        return {"Role": _with_tags(_summary(role), {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])})}

    @operation("GetRole")
    async def get_role(self, _: Caller, request: GetRoleRequest) -> GetRoleResponse:
        """A role in full."""

        def get(tx: Transaction) -> Role:
            role = find_role(tx, request["RoleName"])
            return _with_tags(_in_full(role), tx.tags.get(role.arn))

        return {"Role": await self._store.run(get)}

    @operation("ListRoles")
    async def list_roles(self, _: Caller, request: ListRolesRequest) -> ListRolesResponse:
        """Roles by name, without their tags and boundaries: IAM leaves them out of lists."""
        prefix = request.get("PathPrefix", "/")
        found = await self._store.run(lambda tx: all_of(tx.roles, path_prefix=prefix))
        items = [(role.name.lower(), _summary(role)) for role in found]
        roles, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Roles": roles, **paging}

    @operation("UpdateRole")
    async def update_role(self, _: Caller, request: UpdateRoleRequest) -> UpdateRoleResponse:
        """Change the description and the longest session."""
        members: dict[str, Any] = {**request}
        del members["RoleName"]
        await self._change_role(request["RoleName"], lambda tx, role: members)
        return {}

    @operation("UpdateRoleDescription")
    async def update_role_description(
        self, _: Caller, request: UpdateRoleDescriptionRequest
    ) -> UpdateRoleDescriptionResponse:
        """The older form of UpdateRole."""
        members = {"Description": request["Description"]}
        return {"Role": _summary(await self._change_role(request["RoleName"], lambda tx, role: members))}

    @operation("UpdateAssumeRolePolicy")
    async def update_assume_role_policy(self, _: Caller, request: UpdateAssumeRolePolicyRequest) -> None:
        """Put another trust policy in the place of the role's."""
        check_trust_policy(request["PolicyDocument"])
        members = {"AssumeRolePolicyDocument": request["PolicyDocument"]}
        await self._change_role(request["RoleName"], lambda tx, role: members)

    @operation("DeleteRole")
    async def delete_role(self, _: Caller, request: DeleteRoleRequest) -> None:
        """Remove a role that has no policies left."""

        def delete(tx: Transaction) -> None:
            role = find_role(tx, request["RoleName"])
            if role.body["AttachedPolicies"]:
                raise delete_conflict("Cannot delete entity, must detach all policies first.")
            if role.body["InlinePolicies"]:
                raise delete_conflict("Cannot delete entity, must delete policies first.")
            tx.roles.delete(NO_REGION, role.name)
            tx.tags.clear(role.arn)

        await self._store.run(delete)

    @operation("ListInstanceProfilesForRole")
    async def list_instance_profiles_for_role(
        self, _: Caller, request: ListInstanceProfilesForRoleRequest
    ) -> ListInstanceProfilesForRoleResponse:
        """None, which is the truth: there are no instance profiles here. Terraform asks before it deletes a role."""
        await self._store.run(lambda tx: find_role(tx, request["RoleName"]))
        return {"InstanceProfiles": [], "IsTruncated": False}

    @operation("TagRole")
    async def tag_role(self, _: Caller, request: TagRoleRequest) -> None:
        """Add tags to a role."""
        await self._store.run(lambda tx: put_tags(tx, find_role(tx, request["RoleName"]).arn, request["Tags"]))

    @operation("UntagRole")
    async def untag_role(self, _: Caller, request: UntagRoleRequest) -> None:
        """Take tags off a role."""
        await self._store.run(lambda tx: tx.tags.remove(find_role(tx, request["RoleName"]).arn, request["TagKeys"]))

    @operation("ListRoleTags")
    async def list_role_tags(self, _: Caller, request: ListRoleTagsRequest) -> ListRoleTagsResponse:
        """A role's tags, by key."""
        tags = await self._store.run(lambda tx: tx.tags.get(find_role(tx, request["RoleName"]).arn))
        items = [(tag["Key"], tag) for tag in tag_list(dict(sorted(tags.items())))]
        page, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Tags": page, **paging}


def _summary(role: Document) -> Role:
    answer: Role = {
        "Path": role.body["Path"],
        "RoleName": role.name,
        "RoleId": role.body["RoleId"],
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.body["AssumeRolePolicyDocument"]),
        "MaxSessionDuration": role.body["MaxSessionDuration"],
    }
    if "Description" in role.body:
        answer["Description"] = role.body["Description"]
    return answer


def _in_full(role: Document) -> Role:
    answer = _summary(role)
    answer["RoleLastUsed"] = {}
    if "PermissionsBoundary" in role.body:
        answer["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": role.body["PermissionsBoundary"],
        }
    return answer


def _with_tags(role: Role, tags: dict[str, str]) -> Role:
    if tags:
        role["Tags"] = tag_list(tags)
    return role
