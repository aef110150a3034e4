"""Topics and their subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

CONFIRMED_WITHIN: Final = timedelta(days=2)
"""For how long a token is good; then its subscription is gone, as with the service."""


class NoSuchTopic(LookupError):
    """There is no topic of that name."""


class TooManyNotifications(Exception):
    """So many are on their way that no other is taken."""


class ForbiddenAddress(Exception):
    """An endpoint that notifications may not be sent to. The message says why."""


class Protocol(StrEnum):
    """How a subscriber gets notifications."""

    HTTP = "http"
    HTTPS = "https"
    LOG = "log"
    """As a line of Moorage's own log: not one of SNS's."""

    @property
    def is_confirmed(self) -> bool:
        """Whether who is at the endpoint has to agree."""
        return self is not Protocol.LOG


class TopicKey(NamedTuple):
    """A topic's name is its own within a region."""

    region: str
    name: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who gets what is published to a topic."""

    id: str
    protocol: Protocol
    endpoint: str
    token: str
    """Sent to the endpoint, to be shown by whoever confirms."""
    is_confirmed: bool
    is_raw: bool
    """Whether messages are sent as they are, without what SNS puts around them."""
    created_at: datetime
    """When it was asked for the last time, if it is not confirmed."""
    was_authenticated: bool = False
    """Whether a signed call has confirmed it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that messages are published to."""

    key: TopicKey
    arn: str
    created_at: datetime
    display_name: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    unsubscribed: int = 0
    """How many subscriptions were there and are not any more."""

    def as_of(self, now: datetime) -> Topic:
        """The topic without the subscriptions that nobody has confirmed in time."""
        oldest = now - CONFIRMED_WITHIN
        kept = tuple(each for each in self.subscriptions if each.is_confirmed or each.created_at > oldest)
        return replace(self, subscriptions=kept)

    def arn_of(self, subscription: Subscription) -> str:
        """The ARN of one of its subscriptions."""
        return f"{self.arn}:{subscription.id}"

    def find(self, is_meant: Callable[[Subscription], bool]) -> Subscription | None:
        """The first subscription that is meant."""
        return next((each for each in self.subscriptions if is_meant(each)), None)

    def having(self, subscription: Subscription) -> Topic:
        """The topic with a subscription, in the place of the one of its id if there is one."""
        others = tuple(each for each in self.subscriptions if each.id != subscription.id)
        return replace(self, subscriptions=(*others, subscription))

    def without(self, subscription: Subscription) -> Topic:
        """The topic without a subscription."""
        others = tuple(each for each in self.subscriptions if each.id != subscription.id)
        return replace(self, subscriptions=others, unsubscribed=self.unsubscribed + 1)


def topic_arn(key: TopicKey, *, account_id: str) -> str:
    """The ARN of the topic of that name."""
    return f"arn:aws:sns:{key.region}:{account_id}:{key.name}"


def topic_key(arn: str) -> TopicKey | None:
    """The topic that an ARN, its own or that of a subscription to it, is of."""
    parts = arn.split(":")
    if len(parts) not in (6, 7) or parts[:3] != ["arn", "aws", "sns"]:
        return None
    return TopicKey(parts[3], parts[5])
