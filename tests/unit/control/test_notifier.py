"""Publishing to subscribers: who gets what, what alarms say, and endpoints that may not be sent to."""

from __future__ import annotations

import json
import logging
from typing import Final

import pytest

from moorage.control.alarms.actions import ActionFailed, AlarmChange
from moorage.control.notifications.deliveries import Deliveries
from moorage.control.notifications.notifier import Notifier
from moorage.control.notifications.posting import NotPosted
from moorage.core.alarms.model import AlarmKey, StateValue, changed, new_alarm
from moorage.core.notifications.messages import Message, Posting
from moorage.core.notifications.topic import ForbiddenAddress, NoSuchTopic, Protocol, Subscription, Topic, TopicKey
from moorage.store.topics import insert_topic
from moorage.testing.builders import T0
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

KEY: Final = TopicKey("us-east-1", "calls")
ARN: Final = "arn:aws:sns:us-east-1:123456789012:calls"
ACCOUNT_ID: Final = "123456789012"


class RecordingPoster:
    """Takes every posting by writing it down; `refusal` is raised when an endpoint is checked."""

    def __init__(self) -> None:
        self.posted: list[Posting] = []
        self.refusal: Exception | None = None

    async def check(self, url: str) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def post(self, posting: Posting) -> int:
        self.posted.append(posting)
        return 200


class World:
    """A notifier, and what it has posted."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.poster = RecordingPoster()
        clock = LoopClock()
        self.deliveries = Deliveries(self.store, self.poster, clock)
        self.notifier = Notifier(
            self.store, self.poster, self.deliveries, clock, account_id=ACCOUNT_ID, public_url="https://models.example"
        )

    async def topic(self, *subscriptions: Subscription) -> Topic:
        topic = Topic(KEY, ARN, T0, subscriptions=subscriptions)
        await self.store.run(lambda tx: insert_topic(tx, topic))
        return topic

    async def settled(self) -> list[Posting]:
        await self.deliveries.join()
        await self.deliveries.close()
        return self.poster.posted


def subscription(
    id_: str, protocol: Protocol = Protocol.HTTPS, *, is_confirmed: bool = True, is_raw: bool = False
) -> Subscription:
    endpoint = f"https://{id_}.example/hook"
    return Subscription(id_, protocol, endpoint, f"token-{id_}", is_confirmed, is_raw, T0)


async def test_whoever_has_confirmed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.topic(
        subscription("a"),
        subscription("raw", is_raw=True),
        subscription("pending", is_confirmed=False),
        subscription("log", Protocol.LOG),
    )
    with caplog.at_level(logging.INFO):
        await world.notifier.publish(KEY, Message("m1", T0, "two\nlines"))

    by_url = {posting.url: posting for posting in await world.settled()}
    assert {"https://a.example/hook", "https://raw.example/hook"} == by_url.keys()
    document = json.loads(by_url["https://a.example/hook"].body)
    assert ("Notification", "two\nlines") == (document["Type"], document["Message"])
    assert "two\nlines" == by_url["https://raw.example/hook"].body
    assert [rf"notification of {ARN}: 'two\nlines'"] == caplog.messages


async def test_an_endpoint_is_asked_with_its_token() -> None:
    world = World()
    pending = subscription("a", is_confirmed=False)
    await world.notifier.ask_to_confirm(await world.topic(pending), pending)

    [posting] = await world.settled()
    document = json.loads(posting.body)
    assert ("SubscriptionConfirmation", "token-a", ARN) == tuple(
        document[member] for member in ("Type", "Token", "TopicArn")
    )
    assert document["SubscribeURL"].startswith("https://models.example/?Action=ConfirmSubscription&")
    assert "SubscriptionConfirmation" == posting.headers["x-amz-sns-message-type"]


def ringing() -> AlarmChange:
    definition = {
        "AlarmName": "errors",
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    alarm = new_alarm(AlarmKey("us-east-1", "errors"), definition, account_id=ACCOUNT_ID, now=T0)
    after = changed(alarm, StateValue.ALARM, reason="because", reason_data=None, now=T0)
    return AlarmChange(after, alarm.state, after.state, T0)


async def test_an_alarm_tells_its_topic() -> None:
    world = World()
    await world.topic(subscription("a"))
    await world.notifier.tell(ARN, ringing())

    [posting] = await world.settled()
    document = json.loads(posting.body)
    assert 'ALARM: "errors" in US East (N. Virginia)' == document["Subject"]
    assert "because" == json.loads(document["Message"])["NewStateReason"]


async def test_a_topic_that_is_gone_makes_the_action_fail() -> None:
    world = World()
    with pytest.raises(ActionFailed, match="There is no topic"):
        await world.notifier.tell(ARN, ringing())
    with pytest.raises(NoSuchTopic):
        await world.notifier.publish(KEY, Message("m1", T0, "text"))


async def test_endpoints_are_refused_by_address_and_not_for_being_away() -> None:
    world = World()
    world.poster.refusal = NotPosted("no such host")
    await world.notifier.check_endpoint("https://later.example/")
    world.poster.refusal = ForbiddenAddress("private")
    with pytest.raises(ForbiddenAddress):
        await world.notifier.check_endpoint("https://internal.example/")
