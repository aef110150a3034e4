"""What the parts of the SNS service have in common: what they are given, and finding what an ARN names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

from moorage.api.service import Caller, Service
from moorage.api.sns.errors import invalid, no_such_subscription, no_such_topic
from moorage.api.tokens import PageTokens, WrongToken
from moorage.core.notifications.messages import Message
from moorage.core.notifications.topic import Subscription, Topic, TopicKey, topic_key
from moorage.store.base import Store, Transaction
from moorage.store.topics import find_topic
from moorage.system.clock import Clock

PAGE: Final = 100


class Notifications(Protocol):
    """Who brings messages to subscribers."""

    async def publish(self, key: TopicKey, message: Message) -> None:
        """Returns when it is saved who is to get it. Raises NoSuchTopic, TooManyNotifications."""
        ...

    async def check_endpoint(self, url: str) -> None:
        """Raises ForbiddenAddress if nothing may be sent there."""
        ...

    async def ask_to_confirm(self, topic: Topic, subscription: Subscription) -> None:
        """Send the token to whoever is at the endpoint. Raises TooManyNotifications."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the operations act through."""

    store: Store
    clock: Clock
    account_id: str
    notifications: Notifications
    tokens: PageTokens


class Part(Service):
    """Some of the operations."""

    name: ClassVar[str] = "sns"

    def __init__(self, needs: Needs) -> None:
        self._store = needs.store
        self._clock = needs.clock
        self._account_id = needs.account_id
        self._notifications = needs.notifications
        self._tokens = needs.tokens

    def _page(
        self, bound: Sequence[Any], token: str | None, rows: Sequence[Any]
    ) -> tuple[Sequence[Any], dict[str, str]]:
        """A hundred of `rows`, which come in a fixed order, and how the answer says that there is more."""
        start = 0
        if token:
            try:
                start = self._tokens.open(bound, token)
            except WrongToken:
                raise invalid("NextToken", "it is not one that this list gave") from None
        end = start + PAGE
        return rows[start:end], {"NextToken": self._tokens.seal(bound, end)} if end < len(rows) else {}


def key_in(arn: str, caller: Caller, *, what: str = "TopicArn") -> TopicKey:
    """The topic that an ARN is of. Raises InvalidParameter, NotFound."""
    key = topic_key(arn)
    if key is None:
        raise invalid(what, f"{arn} is not an ARN of SNS")
    if key.region != caller.region:
        raise invalid(what, f"it is of the region {key.region}, and the call of {caller.region}")
    return key


def load(tx: Transaction, key: TopicKey, arn: str, *, now: datetime) -> Topic:
    """The topic of that ARN, as of now. Raises NotFound."""
    topic = find_topic(tx, key)
    if topic is None or not (arn == topic.arn or arn.startswith(f"{topic.arn}:")):
        raise no_such_topic()
    return topic.as_of(now)


def load_subscription(tx: Transaction, key: TopicKey, arn: str, *, now: datetime) -> tuple[Topic, Subscription]:
    """The subscription of that ARN and its topic, as of now. Raises NotFound."""
    topic = find_topic(tx, key)
    if topic is None:
        raise no_such_subscription()
    topic = topic.as_of(now)
    found = topic.find(lambda each: topic.arn_of(each) == arn)
    if found is None:
        raise no_such_subscription()
    return topic, found
