"""Tags on alarms and dashboards: TagResource, UntagResource, ListTagsForResource."""

from __future__ import annotations

import re
from typing import Final

from moorage.api.cloudwatch.dashboards import NO_REGION
from moorage.api.cloudwatch.errors import invalid_value
from moorage.api.cloudwatch.part import Part
from moorage.api.cloudwatch.tag_rules import check_count, read_tags
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.cloudwatch import (
    ListTagsForResourceInput,
    ListTagsForResourceOutput,
    TagResourceInput,
    TagResourceOutput,
    UntagResourceInput,
    UntagResourceOutput,
)
from moorage.store.base import Transaction

_ARN: Final = re.compile(r"arn:aws:cloudwatch:[^:]*:\d+:(?:alarm:(?P<alarm>.+)|dashboard/(?P<dashboard>.+))", re.DOTALL)


class Tags(Part):
    """The operations on tags."""

    @operation("TagResource")
    async def tag_resource(self, caller: Caller, request: TagResourceInput) -> TagResourceOutput:
        """Put tags on a resource, new values in the place of old ones."""
        added = read_tags(request["Tags"])

        def add(tx: Transaction) -> None:
            arn = _existing(tx, caller, request["ResourceARN"])
            check_count({**tx.tags.get(arn), **added})
            tx.tags.put(arn, dict(added))

        await self._store.run(add)
        return {}

    @operation("UntagResource")
    async def untag_resource(self, caller: Caller, request: UntagResourceInput) -> UntagResourceOutput:
        """Take tags off a resource; keys it does not have are no error."""

        def remove(tx: Transaction) -> None:
            tx.tags.remove(_existing(tx, caller, request["ResourceARN"]), request["TagKeys"])

        await self._store.run(remove)
        return {}

    @operation("ListTagsForResource")
    async def list_tags_for_resource(
        self, caller: Caller, request: ListTagsForResourceInput
    ) -> ListTagsForResourceOutput:
        """All tags of a resource."""
        tags = await self._store.run(lambda tx: tx.tags.get(_existing(tx, caller, request["ResourceARN"])))
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _existing(tx: Transaction, caller: Caller, arn: str) -> str:
    """The ARN, if there is such a resource. Raises InvalidParameterValue, ResourceNotFoundException."""
    named = _ARN.fullmatch(arn)
    if named is None:
        raise invalid_value(f"Moorage has no CloudWatch resources to tag such as {arn}: alarms and dashboards only.")
    if named["alarm"] is not None:
        found = tx.alarms.get(caller.region, named["alarm"])
    else:
        found = tx.dashboards.get(NO_REGION, named["dashboard"])
    if found is None or found.arn != arn:
        raise ServiceError("ResourceNotFoundException", f"{arn} does not exist.", status=404)
    return arn
