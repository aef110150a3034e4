"""The SNS service, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moorage.api.service import Caller
from moorage.api.sns.publishing import Publishing
from moorage.api.sns.subscriptions import Subscriptions
from moorage.api.sns.topics import Topics
from moorage.core.iam.principal import Requirement
from moorage.core.notifications.topic import TopicKey, topic_arn, topic_key

_ON_NOTHING = ("ListTopics", "ListSubscriptions")


class Sns(Topics, Subscriptions, Publishing):
    """Topics, and who is told what is published to them."""

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """Everything is allowed, or not, on a topic, but for the lists of a region."""
        if operation in _ON_NOTHING:
            return [Requirement(f"sns:{operation}")]
        if operation == "CreateTopic":
            arn = topic_arn(TopicKey(caller.region, request["Name"]), account_id=self._account_id)
            return [Requirement("sns:CreateTopic", arn)]
        action = "Publish" if operation == "PublishBatch" else operation
        return [Requirement(f"sns:{action}", _topic_of(request))]


def _topic_of(request: Mapping[str, Any]) -> str:
    members = ("TopicArn", "SubscriptionArn", "ResourceArn", "TargetArn")
    arn = next((request[member] for member in members if member in request), "*")
    return ":".join(arn.split(":")[:6]) if topic_key(arn) else arn
