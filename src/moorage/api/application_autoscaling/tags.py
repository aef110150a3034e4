"""Tags on scalable targets: TagResource, UntagResource, ListTagsForResource."""

from __future__ import annotations

from moorage.api.application_autoscaling.errors import no_resource
from moorage.api.application_autoscaling.part import Part
from moorage.api.application_autoscaling.tag_rules import check_count, check_tags
from moorage.api.service import Caller, operation
from moorage.aws.types import application_autoscaling as aws
from moorage.store.base import Transaction
from moorage.store.scaling import list_targets


class Tags(Part):
    """The operations on tags."""

    @operation("TagResource")
    async def tag_resource(self, caller: Caller, request: aws.TagResourceRequest) -> aws.TagResourceResponse:
        """Put tags on a target, new values in the place of old ones."""
        added = check_tags(request["Tags"])

        def add(tx: Transaction) -> None:
            arn = _existing(tx, caller, request["ResourceARN"])
            check_count(tx.tags.get(arn) | added)
            tx.tags.put(arn, added)

        await self._store.run(add)
        return {}

    @operation("UntagResource")
    async def untag_resource(self, caller: Caller, request: aws.UntagResourceRequest) -> aws.UntagResourceResponse:
        """Take tags off a target; keys it does not have are no error."""

        def remove(tx: Transaction) -> None:
            tx.tags.remove(_existing(tx, caller, request["ResourceARN"]), request["TagKeys"])

        await self._store.run(remove)
        return {}

    @operation("ListTagsForResource")
    async def list_tags_for_resource(
        self, caller: Caller, request: aws.ListTagsForResourceRequest
    ) -> aws.ListTagsForResourceResponse:
        """All tags of a target."""
        return {"Tags": await self._store.run(lambda tx: tx.tags.get(_existing(tx, caller, request["ResourceARN"])))}


def _existing(tx: Transaction, caller: Caller, arn: str) -> str:
    """The ARN, if there is such a target. Raises ResourceNotFoundException."""
    if all(target.arn != arn for target in list_targets(tx, caller.region)):
        raise no_resource(arn)
    return arn
