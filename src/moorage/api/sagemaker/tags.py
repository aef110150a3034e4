"""Tags: AddTags, ListTags, DeleteTags, on models, endpoint configs and endpoints."""

from __future__ import annotations

from moorage.api.sagemaker.errors import Kind, invalid, not_found
from moorage.api.sagemaker.part import Part
from moorage.api.sagemaker.tag_rules import check_count, read_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.sagemaker import (
    AddTagsInput,
    AddTagsOutput,
    DeleteTagsInput,
    DeleteTagsOutput,
    ListTagsInput,
    ListTagsOutput,
    Tag,
)
from moorage.core.model import EndpointKey
from moorage.store.base import Transaction


class Tags(Part):
    """The operations on tags."""

    @operation("AddTags")
    async def add_tags(self, caller: Caller, request: AddTagsInput) -> AddTagsOutput:
        """Put tags on a resource, new values in the place of old ones."""
        added = read_tags(request["Tags"])

        def add(tx: Transaction) -> dict[str, str]:
            arn = self._existing(tx, caller, request["ResourceArn"])
            check_count({**tx.tags.get(arn), **added})
            tx.tags.put(arn, added)
            return tx.tags.get(arn)

        return {"Tags": _as_list(await self._store.run(add))}

    @operation("ListTags")
    async def list_tags(self, caller: Caller, request: ListTagsInput) -> ListTagsOutput:
        """All tags of a resource: a page holds as many as a resource can have, so there is never a next one."""
        if "NextToken" in request:
            raise invalid("NextToken is not one that ListTags gave.")
        tags = await self._store.run(lambda tx: tx.tags.get(self._existing(tx, caller, request["ResourceArn"])))
        return {"Tags": _as_list(tags)}

    @operation("DeleteTags")
    async def delete_tags(self, caller: Caller, request: DeleteTagsInput) -> DeleteTagsOutput:
        """Take tags off a resource; keys it does not have are no error."""

        def delete(tx: Transaction) -> None:
            tx.tags.remove(self._existing(tx, caller, request["ResourceArn"]), request["TagKeys"])

        await self._store.run(delete)
        return {}

    def _existing(self, tx: Transaction, caller: Caller, arn: str) -> str:
        """The ARN as tags are kept by, if there is such a resource. Raises ValidationException."""
        resource = arn.rpartition(":")[2]
        word, _, name = resource.partition("/")
        kind = next((kind for kind in Kind if kind.in_arn == word), None)
        if kind is None:
            raise invalid(
                f'Moorage has no resources to tag such as "{arn}": models, endpoint configs and endpoints only.'
            )
        own = self._arn(kind, caller, name)
        if own != arn.lower() or not _exists(tx, kind, caller.region, name):
            raise not_found(kind, arn)
        return own


def _exists(tx: Transaction, kind: Kind, region: str, name: str) -> bool:
    match kind:
        case Kind.MODEL:
            return tx.models.get(region, name) is not None
        case Kind.ENDPOINT_CONFIG:
            return tx.endpoint_configs.get(region, name) is not None
        case Kind.ENDPOINT:
            return tx.endpoints.get(EndpointKey(region, name)) is not None


def _as_list(tags: dict[str, str]) -> list[Tag]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
