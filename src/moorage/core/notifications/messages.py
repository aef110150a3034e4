"""What is posted to subscribers: the documents and header fields of SNS, but without its signature.

SNS signs with a certificate that receivers fetch from amazonaws.com; one of ours would prove nothing to them, so the
members of a signature are left out. Source: SNS developer guide, "HTTP/HTTPS notification JSON format".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from moorage.core.notifications.topic import Subscription, Topic

DEFAULT_TEXT: Final = "default"
"""Of a message with a text for each protocol, the one for the others."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published."""

    id: str
    at: datetime
    text: str
    subject: str | None = None
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By name, Type and Value."""
    texts: Mapping[str, str] | None = None
    """By protocol, where they differ."""

    def text_for(self, subscription: Subscription) -> str:
        """What a subscriber gets."""
        return self.text if self.texts is None else self.texts.get(subscription.protocol, self.text)


@dataclass(frozen=True, slots=True)
class Posting:
    """A request to be made."""

    url: str
    headers: Mapping[str, str]
    body: str


def notification(message: Message, topic: Topic, subscription: Subscription) -> Posting:
    """A message for a subscriber."""
    text = message.text_for(subscription)
    headers = _headers("Notification", message.id, topic, subscription)
    if subscription.is_raw:
        return Posting(subscription.endpoint, {**headers, "x-amz-sns-rawdelivery": "true"}, text)
    body: dict[str, Any] = {"Type": "Notification", "MessageId": message.id, "TopicArn": topic.arn}
    if message.subject is not None:
        body["Subject"] = message.subject
    body |= {"Message": text, "Timestamp": _timestamp(message.at)}
    if message.attributes:
        body["MessageAttributes"] = message.attributes
    return Posting(subscription.endpoint, headers, json.dumps(body, indent=2))


def confirmation(topic: Topic, subscription: Subscription, *, public_url: str, id_: str, now: datetime) -> Posting:
    """The question whether an endpoint wants to be subscribed, with the token that says so."""
    body = {
        "Type": "SubscriptionConfirmation",
        "MessageId": id_,
        "Token": subscription.token,
        "TopicArn": topic.arn,
        "Message": f"You have chosen to subscribe to the topic {topic.arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "SubscribeURL": subscribe_url(public_url, topic.arn, subscription.token),
        "Timestamp": _timestamp(now),
    }
    headers = _headers("SubscriptionConfirmation", id_, topic, None)
    return Posting(subscription.endpoint, headers, json.dumps(body, indent=2))


def subscribe_url(public_url: str, topic_arn: str, token: str) -> str:
    """What is visited to confirm."""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": token})
    return f"{public_url.rstrip('/')}/?{query}"


def _headers(kind: str, id_: str, topic: Topic, subscription: Subscription | None) -> Mapping[str, str]:
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Moorage notifications",
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": id_,
        "x-amz-sns-topic-arn": topic.arn,
    }
    if subscription is not None:
        headers["x-amz-sns-subscription-arn"] = topic.arn_of(subscription)
    return headers


def _timestamp(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
