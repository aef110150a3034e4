"""Buckets: create, look, list, delete, and whether they keep versions."""

from __future__ import annotations

from moorage.api.s3.base import S3Operations, owner_of
from moorage.api.s3.errors import invalid_argument, malformed_xml, not_implemented
from moorage.api.s3.names import BUCKET_TAGS_MAX, check_new_bucket, check_tags
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types import s3 as types
from moorage.objects.errors import Reason, Rejected
from moorage.objects.records import Bucket, Versioning

_OLDEST_REGION = "us-east-1"
_PAGE_MAX = 10_000


class BucketOperations(S3Operations):
    """Operations on buckets."""

    @operation("CreateBucket")
    async def create_bucket(self, caller: Caller, request: types.CreateBucketRequest) -> types.CreateBucketOutput:
        """In us-east-1 creating a bucket again succeeds, elsewhere it does not (as observed of S3)."""
        name, configuration = request["Bucket"], request.get("CreateBucketConfiguration", {})
        check_new_bucket(name)
        region = _region(caller, configuration)
        tags = check_tags(((tag["Key"], tag["Value"]) for tag in configuration.get("Tags", [])), most=BUCKET_TAGS_MAX)
        try:
            await self.store.buckets.create(name, region)
        except Rejected as rejected:
            if rejected.reason is not Reason.BUCKET_EXISTS or not _is_forgiven(region, rejected.details["region"]):
                raise
        if tags:
            await self.store.buckets.put_document(name, "tags", body=tags)
        return {"Location": f"/{name}", "BucketArn": _arn(name)}

    @operation("HeadBucket")
    async def head_bucket(self, caller: Caller, request: types.HeadBucketRequest) -> types.HeadBucketOutput:
        bucket = await self.store.buckets.find(request["Bucket"])
        return {"BucketRegion": bucket.region, "BucketArn": _arn(bucket.name), "AccessPointAlias": False}

    @operation("ListBuckets")
    async def list_buckets(self, caller: Caller, request: types.ListBucketsRequest) -> types.ListBucketsOutput:
        limit = request.get("MaxBuckets", _PAGE_MAX)
        if not 1 <= limit <= _PAGE_MAX:
            raise invalid_argument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", limit)
        token = request.get("ContinuationToken")
        found = await self.store.buckets.list(
            prefix=request.get("Prefix", ""),
            after=self.tokens.read("buckets", token) if token else "",
            region=request.get("BucketRegion"),
            limit=limit + 1,
        )
        page = found[:limit]
        answer: types.ListBucketsOutput = {
            "Buckets": [_entry(bucket) for bucket in page],
            "Owner": {"ID": owner_of(caller.account_id)["ID"]},
        }
        if request.get("Prefix"):
            answer["Prefix"] = request["Prefix"]
        if len(found) > limit:
            answer["ContinuationToken"] = self.tokens.make("buckets", page[-1].name)
        return answer

    @operation("DeleteBucket")
    async def delete_bucket(self, caller: Caller, request: types.DeleteBucketRequest) -> None:
        await self.store.buckets.delete(request["Bucket"])

    @operation("GetBucketLocation")
    async def get_bucket_location(
        self, caller: Caller, request: types.GetBucketLocationRequest
    ) -> types.GetBucketLocationOutput:
        bucket = await self.store.buckets.find(request["Bucket"])
        if bucket.region == _OLDEST_REGION:
            return {}
        return {"LocationConstraint": bucket.region}

    @operation("PutBucketVersioning")
    async def put_bucket_versioning(self, caller: Caller, request: types.PutBucketVersioningRequest) -> None:
        configuration = request["VersioningConfiguration"]
        if configuration.get("MFADelete") == "Enabled":
            raise not_implemented("MFA delete")
        status = configuration.get("Status")
        if status is None:
            raise malformed_xml()
        await self.store.buckets.set_versioning(request["Bucket"], Versioning(status))

    @operation("GetBucketVersioning")
    async def get_bucket_versioning(
        self, caller: Caller, request: types.GetBucketVersioningRequest
    ) -> types.GetBucketVersioningOutput:
        bucket = await self.store.buckets.find(request["Bucket"])
        match bucket.versioning:
            case Versioning.OFF:
                return {}
            case Versioning.ENABLED:
                return {"Status": "Enabled"}
            case Versioning.SUSPENDED:
                return {"Status": "Suspended"}


def _region(caller: Caller, configuration: types.CreateBucketConfiguration) -> str:
    """Where the bucket is to be. Source: the LocationConstraint of CreateBucket in the API reference."""
    if "Location" in configuration or "Bucket" in configuration:
        raise not_implemented("directory buckets")
    wanted = configuration.get("LocationConstraint")
    if wanted in (None, "") and caller.region != _OLDEST_REGION:
        raise _illegal_location(
            "The unspecified location constraint is incompatible for the region specific endpoint this request was "
            "sent to."
        )
    region = {None: _OLDEST_REGION, "": _OLDEST_REGION, "EU": "eu-west-1"}.get(wanted, wanted or _OLDEST_REGION)
    if caller.region not in (region, _OLDEST_REGION):
        raise _illegal_location(
            f"The {region} location constraint is incompatible for the region specific endpoint this request was sent "
            "to."
        )
    return region


def _illegal_location(message: str) -> ServiceError:
    return ServiceError("IllegalLocationConstraintException", message, status=400)


def _is_forgiven(region: str, existing_region: str) -> bool:
    return region == existing_region == _OLDEST_REGION


def _entry(bucket: Bucket) -> types.Bucket:
    return {
        "Name": bucket.name,
        "CreationDate": bucket.created_at,
        "BucketRegion": bucket.region,
        "BucketArn": _arn(bucket.name),
    }


def _arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"
