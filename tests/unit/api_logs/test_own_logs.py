"""Log groups and streams of one's own, and what is put into them."""

from __future__ import annotations

import asyncio
import fcntl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from moorage.api.logs.put_rules import EVENT_BYTES_MAX
from moorage.api.service import Caller
from moorage.aws.errors import ServiceError
from moorage.testing.logs_world import ARN, GROUP, START, START_MS, LogsWorld

OWN = "/my/app"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def world(tmp_path: Path) -> LogsWorld:
    world = LogsWorld(tmp_path)
    await world.call("CreateLogGroup", logGroupName=OWN, tags={"team": "ml"})
    await world.call("CreateLogStream", logGroupName=OWN, logStreamName="web ☂/1")
    return world


def events(*lines: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"timestamp": START_MS + ms, "message": message} for ms, message in lines]


async def put(world: LogsWorld, *lines: tuple[int, str], stream: str = "web ☂/1", group: str = OWN) -> dict[str, Any]:
    answer: dict[str, Any] = await world.call(
        "PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events(*lines)
    )
    return answer


async def got(world: LogsWorld, stream: str = "web ☂/1", **request: Any) -> list[str]:
    return (await world.get(stream, group=OWN, startFromHead=True, **request))[0]


async def refused(world: LogsWorld, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        await world.call(operation, **request)
    return caught.value.code, caught.value.message


async def test_what_was_put_comes_back_byte_by_byte(world: LogsWorld) -> None:
    messages = ["plain", "two\nlines\r\n", "\x1b[31mred\x00", "ünï ☂ \U0001f600", '{"a": "b"}', " ", "x" * 200_000]
    world.clock.time = START + timedelta(seconds=7)
    await put(world, *((number, message) for number, message in enumerate(messages)))
    page = await world.call("GetLogEvents", logGroupName=OWN, logStreamName="web ☂/1", startFromHead=True)
    assert messages == [event["message"] for event in page["events"]]
    assert [START_MS + number for number in range(7)] == [event["timestamp"] for event in page["events"]]
    assert {START_MS + 7000} == {event["ingestionTime"] for event in page["events"]}
    assert messages == await world.find_all(group=OWN)


async def test_a_stream_says_what_there_is_in_it(world: LogsWorld) -> None:
    (empty,) = (await world.call("DescribeLogStreams", logGroupName=OWN))["logStreams"]
    assert {
        "logStreamName": "web ☂/1",
        "creationTime": START_MS,
        "arn": f"{ARN}{OWN}:log-stream:web ☂/1",
        "storedBytes": 0,
    } == empty
    world.clock.time = START + timedelta(seconds=9)
    await put(world, (-5000, "a"), (4000, "b"))
    (stream,) = (await world.call("DescribeLogStreams", logGroupName=OWN))["logStreams"]
    assert (START_MS, START_MS - 5000, START_MS + 4000, START_MS + 9000) == (
        stream["creationTime"],
        stream["firstEventTimestamp"],
        stream["lastEventTimestamp"],
        stream["lastIngestionTime"],
    )


async def test_events_that_come_late_are_put_in_their_place(world: LogsWorld) -> None:
    await put(world, (0, "a"), (20, "c"), (30, "d"))
    await put(world, (10, "b"), (20, "c, later"), (40, "e"))
    await put(world, (40, "e, later"))
    await put(world, (-10, "first"))
    assert ["first", "a", "b", "c", "c, later", "d", "e", "e, later"] == await got(world)
    assert ["b", "c"] == (await got(world, startTime=START_MS + 10, endTime=START_MS + 30))[:2]


async def test_batches_of_several_at_once_are_all_there(world: LogsWorld) -> None:
    await asyncio.gather(*(put(world, (number % 3, f"{number}-{part}")) for number in range(6) for part in range(5)))
    found = await got(world)
    assert {f"{number}-{part}" for number in range(6) for part in range(5)} == set(found)
    assert 30 == len(found)


async def test_a_line_cut_short_by_a_power_cut_is_forgotten(world: LogsWorld) -> None:
    await put(world, (0, "whole"))
    (path,) = world.root.glob("*/.groups/*/*.log")
    with path.open("a") as file:
        file.write('2026-11-21T02:55:00.123Z [1,"cut')
    assert ["whole"] == await got(world)
    await put(world, (5, "next"))
    assert ["whole", "next"] == await got(world)


@pytest.mark.parametrize(
    ("lines", "code_and_message"),
    [
        (
            [(1, "a"), (0, "b")],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            [(-DAY_MS - 1, "a"), (0, "b")],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (
            [(0, "x" * (EVENT_BYTES_MAX + 1))],
            "Log event too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (
            [(0, "x" * 524_288), (1, "x" * 524_287)],
            "Upload too large: 1048627 bytes exceeds limit of 1048576",
        ),
    ],
)
async def test_batches_that_are_refused(world: LogsWorld, lines: list[tuple[int, str]], code_and_message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await put(world, *lines)
    assert ("InvalidParameterException", code_and_message) == (caught.value.code, caught.value.message)
    assert [] == await got(world)


async def test_events_too_old_and_too_new_are_left_out_and_named(world: LogsWorld) -> None:
    hour = 3_600_000
    too_old, too_new = -14 * DAY_MS - 1, 2 * hour + 1
    answer = await put(world, (too_old, "old"), (0, "now"), (hour, "soon"), (too_new, "new"))
    assert {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3} == answer["rejectedLogEventsInfo"]
    assert ["now", "soon"] == await got(world)
    await world.call("PutRetentionPolicy", logGroupName=OWN, retentionInDays=1)
    answer = await put(world, (too_old, "x"), (-DAY_MS - 1, "expired"), (-DAY_MS, "kept"))
    assert {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2} == answer["rejectedLogEventsInfo"]
    answer = await put(world, (too_new, "all too new"))
    assert {"tooNewLogEventStartIndex": 0} == answer["rejectedLogEventsInfo"]
    assert ["kept", "now", "soon"] == await got(world)


async def test_groups_of_ones_own_stand_beside_those_of_endpoints(world: LogsWorld) -> None:
    world.write("A/i-1", (0, "printed"))
    await world.call("CreateLogGroup", logGroupName="/Zoo")
    groups = (await world.call("DescribeLogGroups"))["logGroups"]
    assert ["/Zoo", GROUP, OWN] == [group["logGroupName"] for group in groups]
    assert [START_MS] * 3 == [group["creationTime"] for group in groups]
    by_arn = await world.call("DescribeLogGroups", logGroupIdentifiers=[ARN + OWN, "/none"])
    assert [OWN] == [group["logGroupName"] for group in by_arn["logGroups"]]
    assert {"logGroups": []} == await world.call("DescribeLogGroups", logGroupClass="INFREQUENT_ACCESS")
    assert {"logGroups": []} == await world.call("DescribeLogGroups", region="eu-west-1")


async def test_a_stream_of_ones_own_in_the_group_of_an_endpoint(world: LogsWorld) -> None:
    world.write("A/i-1", (0, "printed"), (2, "printed too"))
    await world.call("CreateLogStream", logGroupName=GROUP, logStreamName="notes")
    await put(world, (1, "put"), stream="notes", group=GROUP)
    assert ["printed", "put", "printed too"] == await world.find_all()
    exists = ("ResourceAlreadyExistsException", "The specified log stream already exists")
    assert exists == await refused(world, "CreateLogStream", logGroupName=GROUP, logStreamName="A/i-1")
    assert exists == await refused(world, "CreateLogStream", logGroupName=GROUP, logStreamName="notes")
    message = "The specified log stream is an instance's own: nobody else can put events into it."
    assert ("InvalidParameterException", message) == await refused(
        world, "PutLogEvents", logGroupName=GROUP, logStreamName="A/i-1", logEvents=events((0, "x"))
    )


async def test_a_group_may_be_made_before_its_endpoint(world: LogsWorld) -> None:
    await world.call("CreateLogGroup", logGroupName=GROUP)
    await world.call("PutRetentionPolicy", logGroupName=GROUP, retentionInDays=30)
    world.write("A/i-1", (0, "printed"))
    (group,) = (await world.call("DescribeLogGroups", logGroupNamePrefix=GROUP))["logGroups"]
    assert 30 == group["retentionInDays"]
    assert ["printed"] == await world.find_all()


async def test_retention(world: LogsWorld) -> None:
    world.write("A/i-1", (0, "printed"))
    for group in (OWN, GROUP):
        await world.call("PutRetentionPolicy", logGroupName=group, retentionInDays=7)
    groups = (await world.call("DescribeLogGroups"))["logGroups"]
    assert [7, 7] == [group["retentionInDays"] for group in groups]
    await world.call("DeleteRetentionPolicy", logGroupName=OWN)
    groups = (await world.call("DescribeLogGroups"))["logGroups"]
    assert [7, None] == [group.get("retentionInDays") for group in groups]
    code, message = await refused(world, "PutRetentionPolicy", logGroupName=OWN, retentionInDays=4)
    assert "InvalidParameterException" == code
    assert message.startswith(
        "1 validation error detected: Value '4' at 'retentionInDays' failed to satisfy constraint: "
        "Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, "
    )


async def test_tags(world: LogsWorld) -> None:
    assert {"tags": {"team": "ml"}} == await world.call("ListTagsForResource", resourceArn=ARN + OWN)
    await world.call("TagResource", resourceArn=f"{ARN}{OWN}:*", tags={"stage": "test", "team": "x"})
    await world.call("TagLogGroup", logGroupName=OWN, tags={"a": "b"})
    assert {"tags": {"a": "b", "stage": "test", "team": "x"}} == await world.call("ListTagsLogGroup", logGroupName=OWN)
    await world.call("UntagResource", resourceArn=ARN + OWN, tagKeys=["team", "none"])
    await world.call("UntagLogGroup", logGroupName=OWN, tags=["a"])
    assert {"tags": {"stage": "test"}} == await world.call("ListTagsForResource", resourceArn=ARN + OWN)
    reserved = ("InvalidParameterException", "Tag keys that start with 'aws:' are reserved for system use: 'aws:x'.")
    assert reserved == await refused(world, "TagResource", resourceArn=ARN + OWN, tags={"aws:x": "y"})
    many = {f"key{number}": "" for number in range(50)}
    code, _ = await refused(world, "TagLogGroup", logGroupName=OWN, tags=many)
    assert "TooManyTagsException" == code


async def test_deleting_a_group_takes_everything_of_it(world: LogsWorld) -> None:
    await put(world, (0, "a"))
    await world.call("DeleteLogGroup", logGroupName=OWN)
    assert {"logGroups": []} == await world.call("DescribeLogGroups")
    await world.call("CreateLogGroup", logGroupName=OWN)
    assert {"logStreams": []} == await world.call("DescribeLogStreams", logGroupName=OWN)
    assert {"tags": {}} == await world.call("ListTagsForResource", resourceArn=ARN + OWN)


async def test_deleting_a_stream(world: LogsWorld) -> None:
    await put(world, (0, "a"))
    await world.call("DeleteLogStream", logGroupName=OWN, logStreamName="web ☂/1")
    assert {"logStreams": []} == await world.call("DescribeLogStreams", logGroupName=OWN)
    await world.call("CreateLogStream", logGroupName=OWN, logStreamName="web ☂/1")
    assert [] == await got(world)


async def test_deleting_the_stream_of_an_instance_that_has_gone(world: LogsWorld) -> None:
    path = world.write("A/i-1", (0, "a"))
    await world.call("DeleteLogStream", logGroupName=GROUP, logStreamName="A/i-1")
    assert not path.parent.parent.exists()


async def test_an_instance_that_lives_goes_on_in_the_stream_that_was_deleted(world: LogsWorld) -> None:
    path = world.write("A/i-1", (0, "before"), (1, "x" * 10_000))
    with path.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_SH)
        _, _, forward = await world.get()
        await world.call("DeleteLogGroup", logGroupName=GROUP)
        assert [] == await world.find_all()
        world.write("A/i-1", (5, "after"))
        assert ["after"] == (await world.get(nextToken=forward))[0]
        assert ["after"] == await world.find_all()
        assert ["after"] == (await world.get(startFromHead=True))[0]


NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")
REFUSED: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    (
        "CreateLogGroup",
        {"logGroupName": OWN},
        ("ResourceAlreadyExistsException", "The specified log group already exists"),
    ),
    (
        "CreateLogGroup",
        {"logGroupName": "aws/sagemaker"},
        ("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS."),
    ),
    (
        "CreateLogGroup",
        {"logGroupName": "/k", "kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1"},
        ("InvalidParameterException", "Moorage does not support kmsKeyId in CloudWatch Logs."),
    ),
    (
        "CreateLogGroup",
        {"logGroupName": "/k", "logGroupClass": "DELIVERY"},
        ("InvalidParameterException", "Moorage has log groups of the class STANDARD only."),
    ),
    ("DeleteLogGroup", {"logGroupName": "/none"}, NO_GROUP),
    ("CreateLogStream", {"logGroupName": "/none", "logStreamName": "s"}, NO_GROUP),
    ("DeleteLogStream", {"logGroupName": "/none", "logStreamName": "s"}, NO_GROUP),
    ("DeleteLogStream", {"logGroupName": OWN, "logStreamName": "s"}, NO_STREAM),
    ("PutLogEvents", {"logGroupName": "/none", "logStreamName": "s", "logEvents": []}, NO_GROUP),
    ("PutLogEvents", {"logGroupName": OWN, "logStreamName": "../x", "logEvents": []}, NO_STREAM),
    ("PutRetentionPolicy", {"logGroupName": "/none", "retentionInDays": 1}, NO_GROUP),
    ("DeleteRetentionPolicy", {"logGroupName": "/none"}, NO_GROUP),
    ("TagResource", {"resourceArn": ARN + "/none", "tags": {"a": "b"}}, NO_GROUP),
    ("ListTagsForResource", {"resourceArn": "arn:aws:logs:us-east-1:210987654321:log-group:" + OWN}, NO_GROUP),
    ("ListTagsLogGroup", {"logGroupName": "/none"}, NO_GROUP),
    (
        "DescribeLogGroups",
        {"includeLinkedAccounts": True},
        ("InvalidParameterException", "Moorage does not support includeLinkedAccounts in CloudWatch Logs."),
    ),
]


@pytest.mark.parametrize(("operation", "request_", "expected"), REFUSED)
async def test_what_is_refused(
    world: LogsWorld, operation: str, request_: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected == await refused(world, operation, **request_)


async def test_a_pattern_is_tried_on_messages(world: LogsWorld) -> None:
    messages = ["127.0.0.1 200", "127.0.0.1 404", "nothing"]
    answer = await world.call("TestMetricFilter", filterPattern="[ip, status = 4*]", logEventMessages=messages)
    assert {
        "matches": [
            {
                "eventNumber": 2,
                "eventMessage": "127.0.0.1 404",
                "extractedValues": {"$ip": "127.0.0.1", "$status": "404"},
            }
        ]
    } == answer


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("CreateLogGroup", {"logGroupName": "/g"}, ["CreateLogGroup /g:log-stream:"]),
        (
            "CreateLogGroup",
            {"logGroupName": "/g", "tags": {"a": "b"}},
            ["CreateLogGroup /g:log-stream:", "TagResource /g:log-stream:"],
        ),
        ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s"}, ["PutLogEvents /g:log-stream:s"]),
        ("TagResource", {"resourceArn": ARN + "/g:*"}, ["TagResource /g:log-stream:"]),
        (
            "StartLiveTail",
            {"logGroupIdentifiers": [ARN + "/g", ARN + "/h"]},
            ["StartLiveTail /g:log-stream:", "StartLiveTail /h:log-stream:"],
        ),
        ("DescribeLogGroups", {"logGroupIdentifiers": ["/g"]}, ["DescribeLogGroups :log-stream:"]),
        ("TestMetricFilter", {}, ["TestMetricFilter *"]),
    ],
)
async def test_what_has_to_be_allowed(
    world: LogsWorld, operation: str, request_: dict[str, Any], expected: list[str]
) -> None:
    caller = Caller("123456789012", "arn", "id", "AKIA", "us-east-1", "request")
    required = await world.service.requirements(operation, caller, request_)
    assert expected == [f"{each.action.removeprefix('logs:')} {each.resource.removeprefix(ARN)}" for each in required]
