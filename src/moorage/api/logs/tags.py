"""Tags of log groups: TagResource, UntagResource, ListTagsForResource, and the operations they have replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moorage.api.logs.errors import no_such_group
from moorage.api.logs.part import Part
from moorage.api.logs.tag_rules import check_count, check_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import (
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    ListTagsLogGroupRequest,
    ListTagsLogGroupResponse,
    TagLogGroupRequest,
    TagResourceRequest,
    UntagLogGroupRequest,
    UntagResourceRequest,
)
from moorage.store.base import Transaction


class LogTags(Part):
    """The operations on tags."""

    @operation("TagResource")
    async def tag_resource(self, caller: Caller, request: TagResourceRequest) -> None:
        """Put tags on the group of an ARN, new values in the place of old ones."""
        await self._tag(caller, self._group_of(caller, request["resourceArn"]), request["tags"])

    @operation("UntagResource")
    async def untag_resource(self, caller: Caller, request: UntagResourceRequest) -> None:
        """Take tags off the group of an ARN; keys it does not have are no error."""
        await self._untag(caller, self._group_of(caller, request["resourceArn"]), request["tagKeys"])

    @operation("ListTagsForResource")
    async def list_tags_for_resource(
        self, caller: Caller, request: ListTagsForResourceRequest
    ) -> ListTagsForResourceResponse:
        """The tags of the group of an ARN."""
        return {"tags": await self._tags(caller, self._group_of(caller, request["resourceArn"]))}

    @operation("TagLogGroup")
    async def tag_log_group(self, caller: Caller, request: TagLogGroupRequest) -> None:
        """TagResource by name."""
        await self._tag(caller, request["logGroupName"], request["tags"])

    @operation("UntagLogGroup")
    async def untag_log_group(self, caller: Caller, request: UntagLogGroupRequest) -> None:
        """UntagResource by name."""
        await self._untag(caller, request["logGroupName"], request["tags"])

    @operation("ListTagsLogGroup")
    async def list_tags_log_group(self, caller: Caller, request: ListTagsLogGroupRequest) -> ListTagsLogGroupResponse:
        """ListTagsForResource by name."""
        return {"tags": await self._tags(caller, request["logGroupName"])}

    async def _tag(self, caller: Caller, group: str, tags: Mapping[str, str]) -> None:
        check_tags(tags)
        await self._require_group(caller.region, group)
        arn = self._group_arn(caller.region, group)

        def put(tx: Transaction) -> None:
            check_count({**tx.tags.get(arn), **tags})
            tx.tags.put(arn, dict(tags))

        await self._store.run(put)

    async def _untag(self, caller: Caller, group: str, keys: Sequence[str]) -> None:
        await self._require_group(caller.region, group)
        arn = self._group_arn(caller.region, group)
        await self._store.run(lambda tx: tx.tags.remove(arn, keys))

    async def _tags(self, caller: Caller, group: str) -> dict[str, str]:
        await self._require_group(caller.region, group)
        arn = self._group_arn(caller.region, group)
        return await self._store.run(lambda tx: tx.tags.get(arn))

    def _group_of(self, caller: Caller, arn: str) -> str:
        """The group of an ARN of our account and the caller's region. Raises ResourceNotFoundException."""
        own = self._group_arn(caller.region, "")
        if not arn.startswith(own):
            raise no_such_group()
        return self._group_identified(caller, arn)
