"""Versions of managed policies: at most five are kept, one of them is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from moorage.api.iam.documents import check_identity_policy, check_managed_size, encoded
from moorage.api.iam.errors import delete_conflict, limit_exceeded, no_such_version
from moorage.api.iam.part import AWS_POLICY_VERSION, Part, changed, find_policy, page_of
from moorage.api.service import Caller, operation
from moorage.aws.types.iam import (
    CreatePolicyVersionRequest,
    CreatePolicyVersionResponse,
    DeletePolicyVersionRequest,
    GetPolicyVersionRequest,
    GetPolicyVersionResponse,
    ListPolicyVersionsRequest,
    ListPolicyVersionsResponse,
    PolicyVersion,
    SetDefaultPolicyVersionRequest,
)
from moorage.core.iam import aws_managed
from moorage.store.base import Document, Transaction

_VERSIONS_MAX: Final = 5


class PolicyVersions(Part):
    """The operations on versions."""

    @operation("CreatePolicyVersion")
    async def create_policy_version(
        self, _: Caller, request: CreatePolicyVersionRequest
    ) -> CreatePolicyVersionResponse:
        """Add a version; numbers are never used again."""
        text = request["PolicyDocument"]
        check_identity_policy(text)
        check_managed_size(text)
        now = self._clock.now()

        def create(tx: Transaction) -> PolicyVersion:
            policy = find_policy(tx, request["PolicyArn"])
            versions = policy.body["Versions"]
            if len(versions) == _VERSIONS_MAX:
                raise limit_exceeded(
                    f"A managed policy can have up to {_VERSIONS_MAX} versions. Before you create a new version, you "
                    "must delete an existing version."
                )
            made = policy.body["VersionsMade"] + 1
            members: dict[str, Any] = {
                "VersionsMade": made,
                "Versions": {**versions, f"v{made}": {"Document": text, "CreateDate": now.isoformat()}},
            }
            if request.get("SetAsDefault"):
                members["DefaultVersionId"] = f"v{made}"
            policy = changed(policy, now, **members)
            tx.policies.replace(policy)
            return _summary(policy, f"v{made}")

        version = await self._store.run(create)
        await self._enforce()
        return {"PolicyVersion": version}

    @operation("GetPolicyVersion")
    async def get_policy_version(self, _: Caller, request: GetPolicyVersionRequest) -> GetPolicyVersionResponse:
        """A version with its document; of AWS's own policies that are known, the one that is gone by here."""
        known = aws_managed.document(request["PolicyArn"])
        if known is not None and request["VersionId"] == AWS_POLICY_VERSION:
            document = encoded(msgspec.json.encode(known).decode())
            return {"PolicyVersion": {"VersionId": AWS_POLICY_VERSION, "IsDefaultVersion": True, "Document": document}}
        policy = await self._store.run(lambda tx: find_policy(tx, request["PolicyArn"]))
        version = _summary(policy, request["VersionId"])
        version["Document"] = encoded(policy.body["Versions"][request["VersionId"]]["Document"])
        return {"PolicyVersion": version}

    @operation("ListPolicyVersions")
    async def list_policy_versions(self, _: Caller, request: ListPolicyVersionsRequest) -> ListPolicyVersionsResponse:
        """All versions, the newest first."""
        policy = await self._store.run(lambda tx: find_policy(tx, request["PolicyArn"]))
        newest_first = sorted(policy.body["Versions"], key=lambda version_id: -int(version_id[1:]))
        items = [(f"{rank}", _summary(policy, version_id)) for rank, version_id in enumerate(newest_first)]
        versions, paging = page_of(items, marker=request.get("Marker"), max_items=request.get("MaxItems"))
        return {"Versions": versions, **paging}

    @operation("SetDefaultPolicyVersion")
    async def set_default_policy_version(self, _: Caller, request: SetDefaultPolicyVersionRequest) -> None:
        """Put a version in force."""

        def choose(tx: Transaction) -> None:
            policy = find_policy(tx, request["PolicyArn"])
            _check_version(policy, request["VersionId"])
            tx.policies.replace(changed(policy, self._clock.now(), DefaultVersionId=request["VersionId"]))

        await self._store.run(choose)
        await self._enforce()

    @operation("DeletePolicyVersion")
    async def delete_policy_version(self, _: Caller, request: DeletePolicyVersionRequest) -> None:
        """Remove a version that is not in force."""
        version_id = request["VersionId"]

        def delete(tx: Transaction) -> None:
            policy = find_policy(tx, request["PolicyArn"])
            _check_version(policy, version_id)
            if version_id == policy.body["DefaultVersionId"]:
                raise delete_conflict("Cannot delete the default version of a policy.")
            left = {other: version for other, version in policy.body["Versions"].items() if other != version_id}
            tx.policies.replace(changed(policy, self._clock.now(), Versions=left))

        await self._store.run(delete)


def _check_version(policy: Document, version_id: str) -> None:
    if version_id not in policy.body["Versions"]:
        raise no_such_version(policy.arn, version_id)


def _summary(policy: Document, version_id: str) -> PolicyVersion:
    _check_version(policy, version_id)
    return {
        "VersionId": version_id,
        "IsDefaultVersion": version_id == policy.body["DefaultVersionId"],
        "CreateDate": datetime.fromisoformat(policy.body["Versions"][version_id]["CreateDate"]),
    }
