"""SNS through botocore: topics, subscriptions and their confirmation, what is sent, refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from moorage.api.server import Api
from moorage.api.sns import Sns
from moorage.api.sns.confirming import ConfirmingPage
from moorage.api.sns.part import Needs
from moorage.api.tokens import PageTokens
from moorage.aws.http import Headers, HttpRequest
from moorage.core.notifications.addresses import parse_allowed, parse_endpoint
from moorage.core.notifications.messages import Message, confirmation, notification
from moorage.core.notifications.topic import NoSuchTopic, Subscription, TooManyNotifications, Topic, TopicKey
from moorage.store.topics import find_topic
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.builders import T0
from moorage.testing.memory_store import MemoryStore

ARN: Final = "arn:aws:sns:us-east-1:123456789012:calls"
HOOK: Final = "https://93.184.216.34/hook"


class RecordedNotifications:
    """Takes messages by writing down what would be sent."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.is_full = False
        self.confirmations: list[tuple[Topic, Subscription]] = []
        self.published: list[tuple[Topic, Message]] = []

    async def publish(self, key: TopicKey, message: Message) -> None:
        topic = await self._store.run(lambda tx: find_topic(tx, key))
        if topic is None:
            raise NoSuchTopic
        if self.is_full:
            raise TooManyNotifications
        self.published.append((topic, message))

    async def check_endpoint(self, url: str) -> None:
        host = parse_endpoint(url).host
        parse_allowed("").check(host, host)

    async def ask_to_confirm(self, topic: Topic, subscription: Subscription) -> None:
        self.confirmations.append((topic, subscription))


class MovableClock(SystemClock):
    """The time, and some more."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class World:
    """The service and what it hands on."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = MovableClock()
        self.notifications = RecordedNotifications(self.store)
        self.service = Sns(
            Needs(
                store=self.store,
                clock=self.clock,
                account_id=ACCOUNT_ID,
                notifications=self.notifications,
                tokens=PageTokens(b"key"),
            )
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sns(world: World) -> Iterator[Any]:
    with InProcess(Api([world.service], root_key_ring, clock=SystemClock())) as aws:
        yield aws.client("sns")


def refusal(sns: Any, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        getattr(sns, operation)(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def arns(sns: Any) -> Sequence[str]:
    return [row["SubscriptionArn"] for row in sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]]


def was_authenticated(sns: Any, arn: str) -> str:
    return str(sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["ConfirmationWasAuthenticated"])


def test_a_topic_is_made_once(sns: Any) -> None:
    assert ARN == sns.create_topic(Name="calls", Attributes={"DisplayName": "Calls"})["TopicArn"]
    assert ARN == sns.create_topic(Name="calls")["TopicArn"]
    assert "InvalidParameter" == refusal(sns, "create_topic", Name="calls", Attributes={"DisplayName": "Other"})[0]
    assert [{"TopicArn": ARN}] == sns.list_topics()["Topics"]

    sns.set_topic_attributes(TopicArn=ARN, AttributeName="DisplayName", AttributeValue="All calls")
    attributes = sns.get_topic_attributes(TopicArn=ARN)["Attributes"]
    assert ("All calls", "0", ACCOUNT_ID) == tuple(
        attributes[name] for name in ("DisplayName", "SubscriptionsConfirmed", "Owner")
    )
    assert ARN == json.loads(attributes["Policy"])["Statement"][0]["Resource"]

    sns.delete_topic(TopicArn=ARN)
    sns.delete_topic(TopicArn=ARN)
    assert [] == sns.list_topics()["Topics"]
    assert ("NotFound", "Topic does not exist") == refusal(sns, "get_topic_attributes", TopicArn=ARN)


def test_lists_come_in_pages(sns: Any) -> None:
    for number in range(101):
        sns.create_topic(Name=f"t{number:03}")
    first = sns.list_topics()
    assert 100 == len(first["Topics"])
    assert ["t100"] == [
        topic["TopicArn"].rsplit(":", 1)[1] for topic in sns.list_topics(NextToken=first["NextToken"])["Topics"]
    ]
    assert "InvalidParameter" == refusal(sns, "list_subscriptions", NextToken=first["NextToken"])[0]


def test_a_subscription_begins_when_its_endpoint_agrees(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    said = sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)["SubscriptionArn"]
    assert ("pending confirmation", ["PendingConfirmation"]) == (said, arns(sns))

    [(topic, subscription)] = world.notifications.confirmations
    assert "InvalidParameter" == refusal(sns, "confirm_subscription", TopicArn=ARN, Token="guessed")[0]
    arn = sns.confirm_subscription(TopicArn=ARN, Token=subscription.token)["SubscriptionArn"]

    assert [topic.arn_of(subscription)] == [arn] == arns(sns)
    assert arn == sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert ("true", "false", HOOK) == tuple(
        attributes[name] for name in ("RawMessageDelivery", "PendingConfirmation", "Endpoint")
    )
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    assert [] == arns(sns)
    assert "1" == sns.get_topic_attributes(TopicArn=ARN)["Attributes"]["SubscriptionsDeleted"]


def test_a_signed_call_confirms_with_authentication(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    [(_, subscription)] = world.notifications.confirmations
    arn = sns.confirm_subscription(TopicArn=ARN, Token=subscription.token)["SubscriptionArn"]

    assert "true" == was_authenticated(sns, arn)


def test_a_subscription_put_again_with_other_attributes_is_refused(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    hook = {"TopicArn": ARN, "Protocol": "https", "Endpoint": HOOK}
    sns.subscribe(**hook, Attributes={"RawMessageDelivery": "true"})

    assert (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
    ) == refusal(sns, "subscribe", **hook, Attributes={"RawMessageDelivery": "false"})
    sns.subscribe(**hook)
    sns.subscribe(**hook, Attributes={"RawMessageDelivery": "true"})
    assert [True] * 3 == [subscription.is_raw for _, subscription in world.notifications.confirmations]


def test_what_nobody_has_confirmed_for_two_days_is_gone(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    world.clock.ahead = timedelta(hours=47)
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    world.clock.ahead = timedelta(hours=94)
    assert ["PendingConfirmation"] == arns(sns)

    world.clock.ahead = timedelta(hours=96)
    assert [] == arns(sns) == sns.list_subscriptions()["Subscriptions"]
    token = world.notifications.confirmations[0][1].token
    assert "InvalidParameter" == refusal(sns, "confirm_subscription", TopicArn=ARN, Token=token)[0]
    assert "0" == sns.get_topic_attributes(TopicArn=ARN)["Attributes"]["SubscriptionsPending"]
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    assert token != world.notifications.confirmations[-1][1].token


def test_what_was_confirmed_stays(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    [(_, subscription)] = world.notifications.confirmations
    arn = sns.confirm_subscription(TopicArn=ARN, Token=subscription.token)["SubscriptionArn"]
    world.clock.ahead = timedelta(days=100)

    assert [arn] == arns(sns)
    assert arn == sns.confirm_subscription(TopicArn=ARN, Token=subscription.token)["SubscriptionArn"]


def test_a_visit_confirms_without_a_signature(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    [(topic, subscription)] = world.notifications.confirmations
    sent = confirmation(topic, subscription, public_url="http://127.0.0.1:7070/", id_="1", now=T0)
    url = json.loads(sent.body)["SubscribeURL"]
    assert url.startswith("http://127.0.0.1:7070/?Action=ConfirmSubscription&")
    page = ConfirmingPage(world.store, clock=world.clock)

    def visit(query: str) -> int:
        request = HttpRequest("GET", "/", query, Headers([]), b"")
        assert page.is_meant(request)
        return asyncio.run(page.answer(request)).status

    query = url.partition("?")[2]
    assert 400 == visit(query[:-1])
    assert 404 == visit(query.replace("calls", "other"))
    assert 400 == visit("Action=ConfirmSubscription")
    assert ["PendingConfirmation"] == arns(sns)
    assert 200 == visit(query)
    assert [topic.arn_of(subscription)] == arns(sns)
    assert "false" == was_authenticated(sns, topic.arn_of(subscription))


def test_what_is_not_a_visit_is_not_taken_for_one(world: World) -> None:
    page = ConfirmingPage(world.store, clock=world.clock)
    query = "Action=ConfirmSubscription&TopicArn=a&Token=b"
    for method, path, asked, headers in (
        ("POST", "/", query, []),
        ("GET", "/bucket", query, []),
        ("GET", "/", "Action=ListTopics", []),
        ("GET", "/", query, [("Authorization", "AWS4-HMAC-SHA256 …")]),
        ("GET", "/", f"{query}&X-Amz-Credential=a", []),
    ):
        assert not page.is_meant(HttpRequest(method, path, asked, Headers(headers), b""))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Protocol": "email", "Endpoint": "a@example.com"}, "does not support email"),
        ({"Protocol": "http", "Endpoint": HOOK}, "it must begin with http://"),
        ({"Protocol": "https", "Endpoint": "https://a:b@example.com/"}, "user or a password"),
        ({"Protocol": "http", "Endpoint": "http://127.0.0.1/"}, "notification_hosts"),
        ({"Protocol": "http", "Endpoint": "http://169.254.169.254/latest"}, "notification_hosts"),
        (
            {"Protocol": "https", "Endpoint": HOOK, "Attributes": {"FilterPolicy": "{}"}},
            "does not support the attribute FilterPolicy",
        ),
    ],
)
def test_a_subscription_that_cannot_be_served_is_refused(sns: Any, request_: dict[str, Any], message: str) -> None:
    sns.create_topic(Name="calls")
    code, said = refusal(sns, "subscribe", TopicArn=ARN, **request_)
    assert "InvalidParameter" == code
    assert message in said
    assert [] == arns(sns)


def test_the_log_needs_nobodys_consent(sns: Any) -> None:
    sns.create_topic(Name="calls")
    arn = sns.subscribe(TopicArn=ARN, Protocol="log")["SubscriptionArn"]
    assert [arn] == arns(sns) == [row["SubscriptionArn"] for row in sns.list_subscriptions()["Subscriptions"]]


def test_what_is_published_is_handed_on(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    sns.subscribe(TopicArn=ARN, Protocol="https", Endpoint=HOOK)
    [(_, subscription)] = world.notifications.confirmations
    id_ = sns.publish(
        TopicArn=ARN,
        Subject="Calls",
        Message=json.dumps({"default": "for all", "https": "for the web"}),
        MessageStructure="json",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}},
    )["MessageId"]

    [(topic, message)] = world.notifications.published
    sent = notification(message, topic, subscription)
    body = json.loads(sent.body)
    expected = {
        "Type": "Notification",
        "MessageId": id_,
        "TopicArn": ARN,
        "Subject": "Calls",
        "Message": "for the web",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "test"}},
    }
    assert expected == {member: body[member] for member in expected}
    assert ("Notification", id_) == (sent.headers["x-amz-sns-message-type"], sent.headers["x-amz-sns-message-id"])
    assert "for all" == message.text


def test_a_batch_is_published_message_by_message(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    answer = sns.publish_batch(
        TopicArn=ARN,
        PublishBatchRequestEntries=[{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2", "Subject": "\n"}],
    )
    assert (["a"], ["b"]) == tuple([row["Id"] for row in answer[part]] for part in ("Successful", "Failed"))
    assert ["1"] == [message.text for _, message in world.notifications.published]
    twice = [{"Id": "a", "Message": "1"}, {"Id": "a", "Message": "2"}]
    assert (
        "BatchEntryIdsNotDistinct" == refusal(sns, "publish_batch", TopicArn=ARN, PublishBatchRequestEntries=twice)[0]
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Message": "m", "TopicArn": ARN + "2"}, "NotFound"),
        ({"Message": "m", "TopicArn": "calls"}, "InvalidParameter"),
        ({"Message": "m", "TopicArn": ARN.replace("us-east-1", "eu-west-1")}, "InvalidParameter"),
        ({"Message": "m"}, "InvalidParameter"),
        ({"Message": "m", "PhoneNumber": "+1"}, "InvalidParameter"),
        ({"Message": "", "TopicArn": ARN}, "InvalidParameter"),
        ({"Message": "m" * 262_145, "TopicArn": ARN}, "InvalidParameter"),
        ({"Message": "m", "Subject": "s" * 101, "TopicArn": ARN}, "InvalidParameter"),
        ({"Message": "[" * 5000 + "]" * 5000, "MessageStructure": "json", "TopicArn": ARN}, "InvalidParameter"),
        ({"Message": "m", "MessageStructure": "json", "TopicArn": ARN}, "InvalidParameter"),
        ({"Message": "{}", "MessageStructure": "json", "TopicArn": ARN}, "InvalidParameter"),
    ],
)
def test_what_cannot_be_published_is_refused(sns: Any, request_: dict[str, Any], code: str) -> None:
    sns.create_topic(Name="calls")
    assert code == refusal(sns, "publish", **request_)[0]


def test_too_many_notifications_are_throttled(world: World, sns: Any) -> None:
    sns.create_topic(Name="calls")
    world.notifications.is_full = True
    assert ("Throttled", "Rate exceeded") == refusal(sns, "publish", TopicArn=ARN, Message="m")


def test_topics_have_tags(sns: Any) -> None:
    sns.create_topic(Name="calls", Tags=[{"Key": "a", "Value": "1"}])
    sns.tag_resource(ResourceArn=ARN, Tags=[{"Key": "b", "Value": "2"}])
    assert 2 == len(sns.list_tags_for_resource(ResourceArn=ARN)["Tags"])
    sns.untag_resource(ResourceArn=ARN, TagKeys=["a"])
    assert [{"Key": "b", "Value": "2"}] == sns.list_tags_for_resource(ResourceArn=ARN)["Tags"]
    assert "ResourceNotFound" == refusal(sns, "list_tags_for_resource", ResourceArn=ARN + "2")[0]
    too_many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert "TagLimitExceeded" == refusal(sns, "tag_resource", ResourceArn=ARN, Tags=too_many)[0]


def test_permissions_are_on_topics(world: World) -> None:
    caller = type("Caller", (), {"region": "us-east-1"})()

    def required(operation: str, **request: Any) -> list[tuple[str, str]]:
        found = asyncio.run(world.service.requirements(operation, caller, request))
        return [(each.action, each.resource) for each in found]

    assert [("sns:CreateTopic", ARN)] == required("CreateTopic", Name="calls")
    assert [("sns:Publish", ARN)] == required("PublishBatch", TopicArn=ARN)
    assert [("sns:Unsubscribe", ARN)] == required("Unsubscribe", SubscriptionArn=f"{ARN}:1")
    assert [("sns:ListTopics", "*")] == required("ListTopics")
