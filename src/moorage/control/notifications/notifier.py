"""Publishing to topics: what a call publishes, and what alarms have to say."""

from __future__ import annotations

import logging
import typing
from collections.abc import Sequence

from moorage.control.alarms.actions import ActionFailed, AlarmChange
from moorage.control.notifications.deliveries import Deliveries, Saved
from moorage.control.notifications.posting import NotPosted
from moorage.core.notifications.alarm_message import alarm_subject, alarm_text
from moorage.core.notifications.messages import Message, confirmation, notification
from moorage.core.notifications.topic import (
    NoSuchTopic,
    Protocol,
    Subscription,
    Topic,
    TopicKey,
    topic_key,
)
from moorage.store.base import Store, Transaction
from moorage.store.topics import load_topic
from moorage.system.clock import Clock
from moorage.system.entropy import new_request_id

_log = logging.getLogger(__name__)


class Checks(typing.Protocol):
    """Tells where notifications may go, see `posting.Poster`."""

    async def check(self, url: str) -> None: ...


class Notifier:
    """Hands messages to everybody who is subscribed."""

    def __init__(
        self, store: Store, checks: Checks, deliveries: Deliveries, clock: Clock, *, account_id: str, public_url: str
    ) -> None:
        self._store = store
        self._checks = checks
        self._deliveries = deliveries
        self._clock = clock
        self._account_id = account_id
        self._public_url = public_url

    async def publish(self, key: TopicKey, message: Message) -> None:
        """Returns when it is saved who is to get the message. Raises NoSuchTopic, TooManyNotifications."""
        self._deliveries.check_room()
        now = self._clock.now()

        def save(tx: Transaction) -> tuple[Topic, Saved]:
            topic = load_topic(tx, key)
            postings = {topic.arn_of(each): notification(message, topic, each) for each in _reached(topic)}
            return topic, self._deliveries.save(tx, key.region, postings, now=now)

        topic, saved = await self._store.run(save)
        self._deliveries.begin(saved)
        for each in topic.subscriptions:
            if each.protocol is Protocol.LOG:
                _log.info("notification of %s: %r", topic.arn, message.text_for(each))

    async def check_endpoint(self, url: str) -> None:
        """Raises ForbiddenAddress if nothing may be sent there. A host that nobody knows may be known later."""
        try:
            await self._checks.check(url)
        except NotPosted as error:
            _log.info("an endpoint that is being subscribed: %s", error)

    async def ask_to_confirm(self, topic: Topic, subscription: Subscription) -> None:
        """Send the token to whoever is at the endpoint. Raises TooManyNotifications."""
        self._deliveries.check_room()
        now = self._clock.now()
        posting = confirmation(topic, subscription, public_url=self._public_url, id_=new_request_id(), now=now)
        postings = {topic.arn_of(subscription): posting}
        saved = await self._store.run(lambda tx: self._deliveries.save(tx, topic.key.region, postings, now=now))
        self._deliveries.begin(saved)

    async def tell(self, action_arn: str, change: AlarmChange) -> None:
        """Publish an alarm's change of state to the topic of its action. Raises ActionFailed."""
        key = topic_key(action_arn)
        if key is None:
            raise ActionFailed(f"{action_arn} is no topic")
        message = Message(
            new_request_id(),
            change.at,
            alarm_text(change.alarm, change.old, change.new, account_id=self._account_id),
            subject=alarm_subject(change.alarm, change.new),
        )
        try:
            await self.publish(key, message)
        except NoSuchTopic:
            raise ActionFailed(f"There is no topic {action_arn}") from None


def _reached(topic: Topic) -> Sequence[Subscription]:
    """Who is told by a request."""
    return [each for each in topic.subscriptions if each.is_confirmed and each.protocol is not Protocol.LOG]
