"""Topics: CreateTopic, DeleteTopic, ListTopics, their attributes and tags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from moorage.api.service import Caller, operation
from moorage.api.sns.errors import invalid, no_such_resource, refused, too_many
from moorage.api.sns.part import Part, key_in, load
from moorage.api.tags import TAGS_MAX, read_pairs
from moorage.aws.types.sns import (
    CreateTopicInput,
    CreateTopicResponse,
    DeleteTopicInput,
    GetTopicAttributesInput,
    GetTopicAttributesResponse,
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    ListTopicsInput,
    ListTopicsResponse,
    SetTopicAttributesInput,
    Tag,
    TagResourceRequest,
    UntagResourceRequest,
)
from moorage.core.notifications.topic import Topic, TopicKey, topic_arn, topic_key
from moorage.store.base import Transaction
from moorage.store.topics import delete_topic, find_topic, insert_topic, list_topics, replace_topic

TOPICS_MAX: Final = 10_000
DISPLAY_NAME_MAX: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FEEDBACK: Final = ("Application", "Firehose", "HTTP", "Lambda", "SQS")
_HARMLESS: Final[Mapping[str, str]] = {
    "FifoTopic": "false",
    "ContentBasedDeduplication": "false",
    "TracingConfig": "PassThrough",
    "KmsMasterKeyId": "",
    "DeliveryPolicy": "",
    **{f"{kind}SuccessFeedbackSampleRate": "0" for kind in _FEEDBACK},
}
"""Attributes that may be given with the value that says what is so anyway; Terraform gives some of them."""


class Topics(Part):
    """The operations on topics."""

    @operation("CreateTopic")
    async def create_topic(self, caller: Caller, request: CreateTopicInput) -> CreateTopicResponse:
        """Make a topic; of one that is there already with the same attributes, answer the ARN."""
        if "DataProtectionPolicy" in request:
            raise refused("DataProtectionPolicy")
        name = request["Name"]
        if not _NAME.fullmatch(name):
            raise invalid("Topic Name", "it must have 1 to 256 letters, digits, hyphens and underscores")
        display_name = ""
        for attribute, value in request.get("Attributes", {}).items():
            display_name = _display_name(attribute, value) or display_name
        tags = _read_tags(request.get("Tags", []))
        key = TopicKey(caller.region, name)
        arn = topic_arn(key, account_id=self._account_id)
        topic = Topic(key, arn, self._clock.now(), display_name)

        def create(tx: Transaction) -> None:
            found = find_topic(tx, key)
            if found is not None:
                _check_same(tx, found, request, display_name=display_name, tags=tags)
                return
            if tx.topics.count(caller.region) >= TOPICS_MAX:
                raise too_many("TopicLimitExceeded", f"A region can have {TOPICS_MAX} topics at most.")
            insert_topic(tx, topic)
            tx.tags.put(arn, tags)

        await self._store.run(create)
        return {"TopicArn": arn}

    @operation("DeleteTopic")
    async def delete_topic(self, caller: Caller, request: DeleteTopicInput) -> None:
        """Remove a topic with its subscriptions; one that is not there is as good as removed."""
        key = key_in(request["TopicArn"], caller)

        def delete(tx: Transaction) -> None:
            found = find_topic(tx, key)
            if found is not None and found.arn == request["TopicArn"]:
                delete_topic(tx, found)

        await self._store.run(delete)

    @operation("ListTopics")
    async def list_topics(self, caller: Caller, request: ListTopicsInput) -> ListTopicsResponse:
        """A hundred topics, by name."""
        arns = await self._store.run(lambda tx: [topic.arn for topic in list_topics(tx, caller.region)])
        page, more = self._page(["ListTopics", caller.region], request.get("NextToken"), arns)
        answer: ListTopicsResponse = {"Topics": [{"TopicArn": arn} for arn in page]}
        if more:
            answer["NextToken"] = more["NextToken"]
        return answer

    @operation("GetTopicAttributes")
    async def get_topic_attributes(
        self, caller: Caller, request: GetTopicAttributesInput
    ) -> GetTopicAttributesResponse:
        """What there is to say of a topic, with the policy that every topic has here: its account may use it."""
        key = key_in(request["TopicArn"], caller)
        topic = await self._store.run(lambda tx: load(tx, key, request["TopicArn"], now=self._clock.now()))
        confirmed = sum(each.is_confirmed for each in topic.subscriptions)
        return {
            "Attributes": {
                "TopicArn": topic.arn,
                "Owner": self._account_id,
                "DisplayName": topic.display_name,
                "Policy": _policy(topic, self._account_id),
                "SubscriptionsConfirmed": str(confirmed),
                "SubscriptionsPending": str(len(topic.subscriptions) - confirmed),
                "SubscriptionsDeleted": str(topic.unsubscribed),
            }
        }

    @operation("SetTopicAttributes")
    async def set_topic_attributes(self, caller: Caller, request: SetTopicAttributesInput) -> None:
        """Change the display name."""
        key = key_in(request["TopicArn"], caller)
        display_name = _display_name(request["AttributeName"], request.get("AttributeValue", ""))

        def change(tx: Transaction) -> None:
            topic = load(tx, key, request["TopicArn"], now=self._clock.now())
            if request["AttributeName"] == "DisplayName":
                replace_topic(tx, replace(topic, display_name=display_name))

        await self._store.run(change)

    @operation("TagResource")
    async def tag_resource(self, _: Caller, request: TagResourceRequest) -> None:
        """Add tags to a topic."""
        added = _read_tags(request["Tags"])

        def tag(tx: Transaction) -> None:
            topic = _tagged(tx, request["ResourceArn"])
            tags = {**tx.tags.get(topic.arn), **added}
            _check_count(tags)
            tx.tags.put(topic.arn, added)

        await self._store.run(tag)

    @operation("UntagResource")
    async def untag_resource(self, _: Caller, request: UntagResourceRequest) -> None:
        """Take tags off a topic."""
        await self._store.run(lambda tx: tx.tags.remove(_tagged(tx, request["ResourceArn"]).arn, request["TagKeys"]))

    @operation("ListTagsForResource")
    async def list_tags_for_resource(
        self, _: Caller, request: ListTagsForResourceRequest
    ) -> ListTagsForResourceResponse:
        """A topic's tags."""
        tags = await self._store.run(lambda tx: tx.tags.get(_tagged(tx, request["ResourceArn"]).arn))
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _display_name(attribute: str, value: str) -> str:
    """The display name, if it is that which is set. Raises InvalidParameter for what cannot be set."""
    if attribute == "DisplayName":
        if len(value) > DISPLAY_NAME_MAX:
            raise invalid("DisplayName", f"it may have {DISPLAY_NAME_MAX} characters, not {len(value)}")
        return value
    if _HARMLESS.get(attribute) != value:
        raise refused(f"the attribute {attribute}")
    return ""


def _check_same(
    tx: Transaction, found: Topic, request: CreateTopicInput, *, display_name: str, tags: dict[str, str]
) -> None:
    if "DisplayName" in request.get("Attributes", {}) and found.display_name != display_name:
        raise invalid("Attributes", "Topic already exists with different attributes")
    if tags and tx.tags.get(found.arn) != tags:
        raise invalid("Tags", "Topic already exists with different tags")


def _tagged(tx: Transaction, arn: str) -> Topic:
    key = topic_key(arn)
    topic = find_topic(tx, key) if key else None
    if topic is None or topic.arn != arn:
        raise no_such_resource()
    return topic


def _read_tags(tags: list[Tag]) -> dict[str, str]:
    read = read_pairs(((tag["Key"], tag["Value"]) for tag in tags), lambda why: invalid("Tags", why))
    _check_count(read)
    return read


def _check_count(tags: dict[str, str]) -> None:
    if len(tags) > TAGS_MAX:
        raise too_many("TagLimitExceeded", f"Could not complete request: tag quota of {TAGS_MAX} per resource exceeded")


def _policy(topic: Topic, account_id: str) -> str:
    actions = (
        "GetTopicAttributes",
        "SetTopicAttributes",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    )
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account_id}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})
