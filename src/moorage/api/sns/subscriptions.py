"""Subscriptions: who gets what is published, once whoever is at the endpoint has agreed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from moorage.api.service import Caller, operation
from moorage.api.sns.errors import invalid, refused, throttled, too_many
from moorage.api.sns.part import Part, key_in, load, load_subscription
from moorage.aws.types.sns import (
    ConfirmSubscriptionInput,
    ConfirmSubscriptionResponse,
    GetSubscriptionAttributesInput,
    GetSubscriptionAttributesResponse,
    ListSubscriptionsByTopicInput,
    ListSubscriptionsByTopicResponse,
    ListSubscriptionsInput,
    ListSubscriptionsResponse,
    SetSubscriptionAttributesInput,
    SubscribeInput,
    SubscribeResponse,
    UnsubscribeInput,
)
from moorage.aws.types.sns import Subscription as Described
from moorage.core.notifications.addresses import parse_endpoint
from moorage.core.notifications.topic import ForbiddenAddress, Protocol, Subscription, TooManyNotifications, Topic
from moorage.store.base import Transaction
from moorage.store.topics import list_topics, replace_topic
from moorage.system.entropy import new_request_id, new_secret

SUBSCRIPTIONS_MAX: Final = 1000
"""Of a topic: they are kept with it."""
PENDING: Final = "PendingConfirmation"
_TOKEN_BYTES: Final = 32
_RAW: Final = "RawMessageDelivery"


class Subscriptions(Part):
    """The operations on subscriptions."""

    @operation("Subscribe")
    async def subscribe(self, caller: Caller, request: SubscribeInput) -> SubscribeResponse:
        """Ask an endpoint to confirm; a `log` subscription needs nobody's consent."""
        key = key_in(request["TopicArn"], caller)
        protocol = _protocol(request["Protocol"])
        endpoint = await self._endpoint(protocol, request.get("Endpoint", ""))
        attributes, now = request.get("Attributes", {}), self._clock.now()
        is_raw = _is_raw(attributes)

        def subscribe(tx: Transaction) -> tuple[Topic, Subscription]:
            topic = load(tx, key, request["TopicArn"], now=now)
            found = topic.find(lambda each: (each.protocol, each.endpoint) == (protocol, endpoint))
            if found is None and len(topic.subscriptions) >= SUBSCRIPTIONS_MAX:
                raise too_many(
                    "SubscriptionLimitExceeded", f"A topic can have {SUBSCRIPTIONS_MAX} subscriptions at most."
                )
            if found is not None and attributes and found.is_raw != is_raw:
                raise invalid("Attributes", "Subscription already exists with different attributes")
            subscription = _asked_again(found, now) if found else _new(protocol, endpoint, is_raw=is_raw, now=now)
            topic = topic.having(subscription)
            replace_topic(tx, topic)
            return topic, subscription

        topic, subscription = await self._store.run(subscribe)
        if not subscription.is_confirmed:
            try:
                await self._notifications.ask_to_confirm(topic, subscription)
            except TooManyNotifications:
                raise throttled() from None
        shows_arn = subscription.is_confirmed or request.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": topic.arn_of(subscription) if shows_arn else "pending confirmation"}

    @operation("ConfirmSubscription")
    async def confirm_subscription(
        self, caller: Caller, request: ConfirmSubscriptionInput
    ) -> ConfirmSubscriptionResponse:
        """Take the token that was sent to the endpoint for its consent."""
        key = key_in(request["TopicArn"], caller)

        def confirm(tx: Transaction) -> str:
            topic = load(tx, key, request["TopicArn"], now=self._clock.now())
            return confirm_with(tx, topic, request["Token"], is_authenticated=True)

        return {"SubscriptionArn": await self._store.run(confirm)}

    @operation("Unsubscribe")
    async def unsubscribe(self, caller: Caller, request: UnsubscribeInput) -> None:
        """Remove a subscription; one that is not there is as good as removed."""
        arn = request["SubscriptionArn"]
        key = key_in(arn, caller, what="SubscriptionArn")

        def unsubscribe(tx: Transaction) -> None:
            topic = load(tx, key, arn, now=self._clock.now())
            found = topic.find(lambda each: topic.arn_of(each) == arn)
            if found is not None:
                replace_topic(tx, topic.without(found))

        await self._store.run(unsubscribe)

    @operation("ListSubscriptions")
    async def list_subscriptions(self, caller: Caller, request: ListSubscriptionsInput) -> ListSubscriptionsResponse:
        """A hundred of the region's, by their topics."""
        now = self._clock.now()
        rows = await self._store.run(
            lambda tx: [row for topic in list_topics(tx, caller.region) for row in self._described(topic.as_of(now))]
        )
        page, more = self._page(["ListSubscriptions", caller.region], request.get("NextToken"), rows)
        answer: ListSubscriptionsResponse = {"Subscriptions": list(page)}
        if more:
            answer["NextToken"] = more["NextToken"]
        return answer

    @operation("ListSubscriptionsByTopic")
    async def list_subscriptions_by_topic(
        self, caller: Caller, request: ListSubscriptionsByTopicInput
    ) -> ListSubscriptionsByTopicResponse:
        """A hundred of a topic's."""
        arn = request["TopicArn"]
        key = key_in(arn, caller)
        rows = await self._store.run(lambda tx: self._described(load(tx, key, arn, now=self._clock.now())))
        page, more = self._page(["ListSubscriptionsByTopic", arn], request.get("NextToken"), rows)
        answer: ListSubscriptionsByTopicResponse = {"Subscriptions": list(page)}
        if more:
            answer["NextToken"] = more["NextToken"]
        return answer

    @operation("GetSubscriptionAttributes")
    async def get_subscription_attributes(
        self, caller: Caller, request: GetSubscriptionAttributesInput
    ) -> GetSubscriptionAttributesResponse:
        """What there is to say of a subscription."""
        arn = request["SubscriptionArn"]
        key = key_in(arn, caller, what="SubscriptionArn")
        topic, found = await self._store.run(lambda tx: load_subscription(tx, key, arn, now=self._clock.now()))
        return {
            "Attributes": {
                "SubscriptionArn": arn,
                "TopicArn": topic.arn,
                "Owner": self._account_id,
                "Protocol": found.protocol.value,
                "Endpoint": found.endpoint,
                "PendingConfirmation": json.dumps(not found.is_confirmed),
                "ConfirmationWasAuthenticated": json.dumps(found.was_authenticated),
                "RawMessageDelivery": json.dumps(found.is_raw),
            }
        }

    @operation("SetSubscriptionAttributes")
    async def set_subscription_attributes(self, caller: Caller, request: SetSubscriptionAttributesInput) -> None:
        """Choose whether messages are sent as they are."""
        arn = request["SubscriptionArn"]
        key = key_in(arn, caller, what="SubscriptionArn")
        is_raw = _is_raw({request["AttributeName"]: request.get("AttributeValue", "")})

        def change(tx: Transaction) -> None:
            topic, found = load_subscription(tx, key, arn, now=self._clock.now())
            replace_topic(tx, topic.having(replace(found, is_raw=is_raw)))

        await self._store.run(change)

    async def _endpoint(self, protocol: Protocol, endpoint: str) -> str:
        if protocol is Protocol.LOG:
            return endpoint or "moorage"
        if not endpoint.startswith(f"{protocol}://"):
            raise invalid("Endpoint", f"Endpoint must match the specified protocol: it must begin with {protocol}://")
        try:
            parse_endpoint(endpoint)
            await self._notifications.check_endpoint(endpoint)
        except ValueError as error:
            raise invalid("Endpoint", str(error)) from None
        except ForbiddenAddress as error:
            raise invalid("Endpoint", str(error)) from None
        return endpoint

    def _described(self, topic: Topic) -> Sequence[Described]:
        return [
            {
                "SubscriptionArn": topic.arn_of(each) if each.is_confirmed else PENDING,
                "Owner": self._account_id,
                "Protocol": each.protocol.value,
                "Endpoint": each.endpoint,
                "TopicArn": topic.arn,
            }
            for each in topic.subscriptions
        ]


def confirm_with(tx: Transaction, topic: Topic, token: str, *, is_authenticated: bool = False) -> str:
    """Confirm the subscription of that token; answers its ARN. Raises InvalidParameter."""
    found = topic.find(lambda each: each.token == token)
    if found is None:
        raise invalid("Token", "it is not one of this topic's, or more than two days old")
    if not found.is_confirmed:
        found = replace(found, is_confirmed=True, was_authenticated=is_authenticated)
        replace_topic(tx, topic.having(found))
    return topic.arn_of(found)


def _new(protocol: Protocol, endpoint: str, *, is_raw: bool, now: datetime) -> Subscription:
    """A subscription that is to be confirmed; where nobody is to be asked, the call that makes it has done so."""
    return Subscription(
        new_request_id(),
        protocol,
        endpoint,
        token=new_secret(_TOKEN_BYTES).hex(),
        is_confirmed=not protocol.is_confirmed,
        is_raw=is_raw,
        created_at=now,
        was_authenticated=not protocol.is_confirmed,
    )


def _asked_again(subscription: Subscription, now: datetime) -> Subscription:
    """One that is not confirmed has all of its time again, as the token is sent once more."""
    return subscription if subscription.is_confirmed else replace(subscription, created_at=now)


def _protocol(name: str) -> Protocol:
    try:
        return Protocol(name)
    except ValueError:
        raise invalid(
            "Protocol", f"Moorage brings notifications by {', '.join(Protocol)}, and does not support {name}"
        ) from None


def _is_raw(attributes: dict[str, str]) -> bool:
    for name in attributes:
        if name != _RAW:
            raise refused(f"the attribute {name}")
    value = attributes.get(_RAW, "false").lower()
    if value not in ("true", "false"):
        raise invalid(_RAW, "it must be true or false")
    return value == "true"
