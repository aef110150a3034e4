"""What is set on a bucket: encryption, which is carried out; tags and documents, which are kept and given back.

A document is kept only where keeping it is all it takes to be true. Public access cannot be had here, so blocking it
changes nothing; ownership is always the bucket owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moorage.api.s3.base import S3Operations, owner_of
from moorage.api.s3.errors import malformed_xml, not_implemented
from moorage.api.s3.names import BUCKET_TAGS_MAX, check_tags
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types import s3 as types
from moorage.objects.errors import Reason, Rejected

_TAGS = "tags"
_PUBLIC_ACCESS = "public access block"
_OWNERSHIP = "ownership controls"
_ENCRYPTION = "encryption"


class BucketSettingOperations(S3Operations):
    """Operations on what is set on buckets."""

    @operation("PutBucketEncryption")
    async def put_bucket_encryption(self, caller: Caller, request: types.PutBucketEncryptionRequest) -> None:
        rules = request["ServerSideEncryptionConfiguration"]["Rules"]
        if len(rules) != 1:
            raise malformed_xml()
        default = rules[0].get("ApplyServerSideEncryptionByDefault")
        if default is not None and (default["SSEAlgorithm"] != "AES256" or default.get("KMSMasterKeyID")):
            raise not_implemented("encryption with KMS keys")
        await self.store.buckets.set_sealing(request["Bucket"], True)
        await self.store.buckets.put_document(request["Bucket"], _ENCRYPTION, body=rules)

    @operation("GetBucketEncryption")
    async def get_bucket_encryption(
        self, caller: Caller, request: types.GetBucketEncryptionRequest
    ) -> types.GetBucketEncryptionOutput:
        rules = await self._document(
            request["Bucket"],
            _ENCRYPTION,
            absent=(
                "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            ),
        )
        return {"ServerSideEncryptionConfiguration": {"Rules": rules}}

    @operation("DeleteBucketEncryption")
    async def delete_bucket_encryption(self, caller: Caller, request: types.DeleteBucketEncryptionRequest) -> None:
        await self.store.buckets.set_sealing(request["Bucket"], False)
        await self.store.buckets.remove_document(request["Bucket"], _ENCRYPTION)

    @operation("PutBucketTagging")
    async def put_bucket_tagging(self, caller: Caller, request: types.PutBucketTaggingRequest) -> None:
        pairs = ((tag["Key"], tag["Value"]) for tag in request["Tagging"]["TagSet"])
        await self.store.buckets.put_document(request["Bucket"], _TAGS, body=check_tags(pairs, most=BUCKET_TAGS_MAX))

    @operation("GetBucketTagging")
    async def get_bucket_tagging(
        self, caller: Caller, request: types.GetBucketTaggingRequest
    ) -> types.GetBucketTaggingOutput:
        tags = await self._document(request["Bucket"], _TAGS, absent=("NoSuchTagSet", "The TagSet does not exist"))
        return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @operation("DeleteBucketTagging")
    async def delete_bucket_tagging(self, caller: Caller, request: types.DeleteBucketTaggingRequest) -> None:
        await self.store.buckets.remove_document(request["Bucket"], _TAGS)

    @operation("PutPublicAccessBlock")
    async def put_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> None:
        await self.store.buckets.put_document(
            request["Bucket"], _PUBLIC_ACCESS, body=request["PublicAccessBlockConfiguration"]
        )

    @operation("GetPublicAccessBlock")
    async def get_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        absent = ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
        return {
            "PublicAccessBlockConfiguration": await self._document(request["Bucket"], _PUBLIC_ACCESS, absent=absent)
        }

    @operation("DeletePublicAccessBlock")
    async def delete_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> None:
        await self.store.buckets.remove_document(request["Bucket"], _PUBLIC_ACCESS)

    @operation("PutBucketOwnershipControls")
    async def put_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> None:
        controls = request["OwnershipControls"]
        if any(rule["ObjectOwnership"] != "BucketOwnerEnforced" for rule in controls["Rules"]):
            raise not_implemented("access control lists")
        await self.store.buckets.put_document(request["Bucket"], _OWNERSHIP, body=controls)

    @operation("GetBucketOwnershipControls")
    async def get_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        absent = ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
        return {"OwnershipControls": await self._document(request["Bucket"], _OWNERSHIP, absent=absent)}

    @operation("DeleteBucketOwnershipControls")
    async def delete_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> None:
        await self.store.buckets.remove_document(request["Bucket"], _OWNERSHIP)

    @operation("GetBucketAcl")
    async def get_bucket_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """The owner may do everything, and lists cannot say otherwise."""
        await self.store.buckets.find(request["Bucket"])
        return _private_acl(caller)

    @operation("GetObjectAcl")
    async def get_object_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """As the bucket's."""
        await self.store.objects.find(request["Bucket"], request["Key"], request.get("VersionId"))
        return _private_acl(caller)

    async def _document(self, bucket: str, kind: str, *, absent: tuple[str, str]) -> Any:
        try:
            return await self.store.buckets.document(bucket, kind)
        except Rejected as rejected:
            if rejected.reason is not Reason.NO_SUCH_DOCUMENT:
                raise
            code, message = absent
            raise ServiceError(code, message, status=404, members={"BucketName": bucket}) from rejected


def _private_acl(caller: Caller) -> dict[str, Any]:
    owner = owner_of(caller.account_id)
    return {"Owner": owner, "Grants": [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}]}
