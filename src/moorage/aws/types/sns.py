"""Requests and answers of sns. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class BatchResultErrorEntry(TypedDict):
    Id: str
    Code: str
    Message: NotRequired[str]
    SenderFault: bool


class ConfirmSubscriptionInput(TypedDict):
    TopicArn: str
    Token: str
    AuthenticateOnUnsubscribe: NotRequired[str]


class ConfirmSubscriptionResponse(TypedDict):
    SubscriptionArn: NotRequired[str]


class CreateTopicInput(TypedDict):
    Name: str
    Attributes: NotRequired[dict[str, str]]
    Tags: NotRequired[list[Tag]]
    DataProtectionPolicy: NotRequired[str]


class CreateTopicResponse(TypedDict):
    TopicArn: NotRequired[str]


class DeleteTopicInput(TypedDict):
    TopicArn: str


class GetSubscriptionAttributesInput(TypedDict):
    SubscriptionArn: str


class GetSubscriptionAttributesResponse(TypedDict):
    Attributes: NotRequired[dict[str, str]]


class GetTopicAttributesInput(TypedDict):
    TopicArn: str


class GetTopicAttributesResponse(TypedDict):
    Attributes: NotRequired[dict[str, str]]


class ListSubscriptionsByTopicInput(TypedDict):
    TopicArn: str
    NextToken: NotRequired[str]


class ListSubscriptionsByTopicResponse(TypedDict):
    Subscriptions: NotRequired[list[Subscription]]
    NextToken: NotRequired[str]


class ListSubscriptionsInput(TypedDict):
    NextToken: NotRequired[str]


class ListSubscriptionsResponse(TypedDict):
    Subscriptions: NotRequired[list[Subscription]]
    NextToken: NotRequired[str]


class ListTagsForResourceRequest(TypedDict):
    ResourceArn: str


class ListTagsForResourceResponse(TypedDict):
    Tags: NotRequired[list[Tag]]


class ListTopicsInput(TypedDict):
    NextToken: NotRequired[str]


class ListTopicsResponse(TypedDict):
    Topics: NotRequired[list[Topic]]
    NextToken: NotRequired[str]


class MessageAttributeValue(TypedDict):
    DataType: str
    StringValue: NotRequired[str]
    BinaryValue: NotRequired[bytes]


class PublishBatchInput(TypedDict):
    TopicArn: str
    PublishBatchRequestEntries: list[PublishBatchRequestEntry]


class PublishBatchRequestEntry(TypedDict):
    Id: str
    Message: str
    Subject: NotRequired[str]
    MessageStructure: NotRequired[str]
    MessageAttributes: NotRequired[dict[str, MessageAttributeValue]]
    MessageDeduplicationId: NotRequired[str]
    MessageGroupId: NotRequired[str]


class PublishBatchResponse(TypedDict):
    Successful: NotRequired[list[PublishBatchResultEntry]]
    Failed: NotRequired[list[BatchResultErrorEntry]]


class PublishBatchResultEntry(TypedDict):
    Id: NotRequired[str]
    MessageId: NotRequired[str]
    SequenceNumber: NotRequired[str]


class PublishInput(TypedDict):
    TopicArn: NotRequired[str]
    TargetArn: NotRequired[str]
    PhoneNumber: NotRequired[str]
    Message: str
    Subject: NotRequired[str]
    MessageStructure: NotRequired[str]
    MessageAttributes: NotRequired[dict[str, MessageAttributeValue]]
    MessageDeduplicationId: NotRequired[str]
    MessageGroupId: NotRequired[str]


class PublishResponse(TypedDict):
    MessageId: NotRequired[str]
    SequenceNumber: NotRequired[str]


class SetSubscriptionAttributesInput(TypedDict):
    SubscriptionArn: str
    AttributeName: str
    AttributeValue: NotRequired[str]


class SetTopicAttributesInput(TypedDict):
    TopicArn: str
    AttributeName: str
    AttributeValue: NotRequired[str]


class SubscribeInput(TypedDict):
    TopicArn: str
    Protocol: str
    Endpoint: NotRequired[str]
    Attributes: NotRequired[dict[str, str]]
    ReturnSubscriptionArn: NotRequired[bool]


class SubscribeResponse(TypedDict):
    SubscriptionArn: NotRequired[str]


class Subscription(TypedDict):
    SubscriptionArn: NotRequired[str]
    Owner: NotRequired[str]
    Protocol: NotRequired[str]
    Endpoint: NotRequired[str]
    TopicArn: NotRequired[str]


class Tag(TypedDict):
    Key: str
    Value: str


class TagResourceRequest(TypedDict):
    ResourceArn: str
    Tags: list[Tag]


class TagResourceResponse(TypedDict):
    pass


class Topic(TypedDict):
    TopicArn: NotRequired[str]


class UnsubscribeInput(TypedDict):
    SubscriptionArn: str


class UntagResourceRequest(TypedDict):
    ResourceArn: str
    TagKeys: list[str]


class UntagResourceResponse(TypedDict):
    pass
