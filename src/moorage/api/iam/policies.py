"""Managed policies: of the account as stored documents, of AWS by name only.

AWS's own policies (`arn:aws:iam::aws:policy/…`) exist as far as they are named: they can be got, attached to a role,
and listed while attached. Those whose documents are known (`core.iam.aws_managed`) can be attached to users, too.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from moorage.api.iam.documents import check_identity_policy, check_managed_size
from moorage.api.iam.errors import delete_conflict, no_such_policy, policy_exists
from moorage.api.iam.part import (
    AWS_POLICY_PREFIX,
    AWS_POLICY_VERSION,
    NO_REGION,
    Part,
    all_of,
    changed,
    find_policy,
    new_id,
    page_of,
    put_tags,
    tag_list,
)
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    CreatePolicyRequest,
    CreatePolicyResponse,
    DeletePolicyRequest,
    GetPolicyRequest,
    GetPolicyResponse,
    ListEntitiesForPolicyRequest,
    ListEntitiesForPolicyResponse,
    ListPoliciesRequest,
    ListPoliciesResponse,
    ListPolicyTagsRequest,
    ListPolicyTagsResponse,
    Policy,
    PolicyRole,
    PolicyUser,
    TagPolicyRequest,
    UntagPolicyRequest,
)
from moorage.store.base import AlreadyExists, Document, Transaction


class Policies(Part):
    """The operations on policies themselves."""

    @operation("CreatePolicy")
    async def create_policy(self, caller: Caller, request: CreatePolicyRequest) -> CreatePolicyResponse:
        """Keep a policy; its document becomes version `v1`."""
        check_identity_policy(request["PolicyDocument"])
        check_managed_size(request["PolicyDocument"])
        now = self._clock.now()
        name, path = request["PolicyName"], request.get("Path", "/")
        body: dict[str, Any] = {
            "Path": path,
            "PolicyId": new_id("ANPA"),
            "Description": request.get("Description"),
            "DefaultVersionId": "v1",
            "VersionsMade": 1,
            "Versions": {"v1": {"Document": request["PolicyDocument"], "CreateDate": now.isoformat()}},
        }
        arn = f"arn:aws:iam::{caller.account_id}:policy{path}{name}"
        policy = changed(Document(NO_REGION, name, arn, now, now, body), now)

        def create(tx: Transaction) -> None:
            try:
                tx.policies.insert(policy)
            except AlreadyExists:
                raise policy_exists(name) from None
            put_tags(tx, arn, request.get("Tags", []))

        await self._store.run(create)
        return {"Policy": _summary(policy, attachments=0)}

    @operation("GetPolicy")
    async def get_policy(self, _: Caller, request: GetPolicyRequest) -> GetPolicyResponse:
        """A policy in full, without its document: that is GetPolicyVersion's."""
        arn = request["PolicyArn"]

        def get(tx: Transaction) -> Policy:
            attachments = _attachments(tx)
            if arn.startswith(AWS_POLICY_PREFIX):
                return _aws_policy(arn, attachments=attachments[arn])
            policy = find_policy(tx, arn)
            answer = _summary(policy, attachments=attachments[arn])
            if "Description" in policy.body:
                answer["Description"] = policy.body["Description"]
            tags = tx.tags.get(arn)
            if tags:
                answer["Tags"] = tag_list(tags)
            return answer

        return {"Policy": await self._store.run(get)}

    @operation("ListPolicies")
    async def list_policies(self, _: Caller, request: ListPoliciesRequest) -> ListPoliciesResponse:
        """Policies by name; of AWS's those that are attached here."""
        scope, prefix = request.get("Scope", "All"), request.get("PathPrefix", "/")

        def find(tx: Transaction) -> list[Policy]:
            attachments = _attachments(tx)
            found: list[Policy] = []
            if scope in ("All", "Local"):
                own = all_of(tx.policies, path_prefix=prefix)
                found += [_summary(policy, attachments=attachments[policy.arn]) for policy in own]
            if scope in ("All", "AWS"):
                named = (arn for arn in attachments if arn.startswith(AWS_POLICY_PREFIX))
                found += [_aws_policy(arn, attachments=attachments[arn]) for arn in named]
            return found

        found = [policy for policy in await self._store.run(find) if policy["Path"].startswith(prefix)]
        if request.get("OnlyAttached"):
            found = [policy for policy in found if policy["AttachmentCount"]]
        if request.get("PolicyUsageFilter") == "PermissionsBoundary":
            found = []
        items = sorted(((policy["PolicyName"].lower(), policy) for policy in found), key=lambda item: item[0])
        policies, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Policies": policies, **paging}

    @operation("DeletePolicy")
    async def delete_policy(self, _: Caller, request: DeletePolicyRequest) -> None:
        """Remove a policy that is attached nowhere and has no version but the default one."""

        def delete(tx: Transaction) -> None:
            policy = find_policy(tx, request["PolicyArn"])
            if _attachments(tx)[policy.arn]:
                raise delete_conflict("Cannot delete a policy attached to entities.")
            if len(policy.body["Versions"]) > 1:
                raise delete_conflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                    "versions. The default version is deleted with the policy."
                )
            tx.policies.delete(NO_REGION, policy.name)
            tx.tags.clear(policy.arn)

        await self._store.run(delete)

    @operation("ListEntitiesForPolicy")
    async def list_entities_for_policy(
        self, _: Caller, request: ListEntitiesForPolicyRequest
    ) -> ListEntitiesForPolicyResponse:
        """The roles and users that a policy is attached to; there are no groups here."""
        arn = request["PolicyArn"]
        prefix, wanted = request.get("PathPrefix", "/"), request.get("EntityFilter")

        def find(tx: Transaction) -> list[tuple[str, tuple[str, Document]]]:
            if not arn.startswith(AWS_POLICY_PREFIX):
                find_policy(tx, arn)
            return [
                (f"{kind} {entity.name.lower()}", (kind, entity))
                for kind, table in (("Role", tx.roles), ("User", tx.users))
                for entity in all_of(table, path_prefix=prefix)
                if wanted in (None, kind) and arn in entity.body["AttachedPolicies"]
            ]

        found = await self._store.run(find)
        page, paging = page_of(found, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        roles: list[PolicyRole] = [
            {"RoleName": entity.name, "RoleId": entity.body["RoleId"]} for kind, entity in page if kind == "Role"
        ]
        users: list[PolicyUser] = [
            {"UserName": entity.name, "UserId": entity.body["UserId"]} for kind, entity in page if kind == "User"
        ]
        return {"PolicyRoles": roles, "PolicyGroups": [], "PolicyUsers": users, **paging}

    @operation("TagPolicy")
    async def tag_policy(self, _: Caller, request: TagPolicyRequest) -> None:
        """Add tags to a policy."""
        await self._store.run(lambda tx: put_tags(tx, find_policy(tx, request["PolicyArn"]).arn, request["Tags"]))

    @operation("UntagPolicy")
    async def untag_policy(self, _: Caller, request: UntagPolicyRequest) -> None:
        """Take tags off a policy."""
        await self._store.run(lambda tx: tx.tags.remove(find_policy(tx, request["PolicyArn"]).arn, request["TagKeys"]))

    @operation("ListPolicyTags")
    async def list_policy_tags(self, _: Caller, request: ListPolicyTagsRequest) -> ListPolicyTagsResponse:
        """A policy's tags, by key."""
        tags = await self._store.run(lambda tx: tx.tags.get(find_policy(tx, request["PolicyArn"]).arn))
        items = [(tag["Key"], tag) for tag in tag_list(dict(sorted(tags.items())))]
        page, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Tags": page, **paging}


def _attachments(tx: Transaction) -> Counter[str]:
    """How many roles and users each policy is attached to, by ARN."""
    entities = (*all_of(tx.roles), *all_of(tx.users))
    return Counter(arn for entity in entities for arn in entity.body["AttachedPolicies"])


def _summary(policy: Document, *, attachments: int) -> Policy:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.body["PolicyId"],
        "Arn": policy.arn,
        "Path": policy.body["Path"],
        "DefaultVersionId": policy.body["DefaultVersionId"],
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.modified_at,
    }


def _aws_policy(arn: str, *, attachments: int) -> Policy:
    if not arn.removeprefix(AWS_POLICY_PREFIX):
        raise no_such_policy(arn)
    path = arn[arn.index("/") : arn.rindex("/") + 1]
    return {
        "PolicyName": arn.rpartition("/")[2],
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": AWS_POLICY_VERSION,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
    }
