"""CloudWatch Logs over a folder of files."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from moorage.api.logs import events
from moorage.aws.errors import ServiceError
from moorage.telemetry import logs as telemetry
from moorage.testing.logs_world import ARN, GROUP, START_MS, LogsWorld

ALL = ["one", "two", "three", "four", "five"]


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    world = LogsWorld(tmp_path)
    world.write("A/i-1", (0, "one"), (1000, "three"), (1000, "four"))
    world.write("A/i-2", (500, "two"), (2000, "five"))
    world.write("B/i-3")
    world.write("A/i-9", (0, "elsewhere"), region="eu-west-1")
    return world


async def test_groups(world: LogsWorld) -> None:
    world.write("A/i-4", (7, "x"), endpoint="Other")
    other, iris = (await world.call("DescribeLogGroups"))["logGroups"]
    assert ("/aws/sagemaker/Endpoints/Other", START_MS + 7) == (other["logGroupName"], other["creationTime"])
    assert (GROUP, f"{ARN}{GROUP}:*", ARN + GROUP) == (iris["logGroupName"], iris["arn"], iris["logGroupArn"])
    first = await world.call("DescribeLogGroups", limit=1)
    rest = await world.call("DescribeLogGroups", limit=1, nextToken=first["nextToken"])
    assert {"logGroups": [iris]} == rest
    cases = [
        ({"logGroupNamePrefix": "/aws/sagemaker/Endpoints/i"}, 1),
        ({"logGroupNamePrefix": "iris"}, 0),
        ({"logGroupNamePattern": "Endpoints/"}, 2),
        ({"logGroupNamePattern": "iri"}, 1),
    ]
    for filters, expected in cases:
        assert expected == len((await world.call("DescribeLogGroups", **filters))["logGroups"]), filters
    assert {"logGroups": []} == await world.call("DescribeLogGroups", region="..")


async def test_each_of_several_containers_has_a_stream(world: LogsWorld) -> None:
    world.write("A/i-1/scale", (100, "scaled"))
    world.write("A/i-1/forest", (200, "predicted"))
    streams = (await world.call("DescribeLogStreams", logGroupName=GROUP))["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    assert ["A/i-1", "A/i-1/forest", "A/i-1/scale", "A/i-2", "B/i-3"] == names
    assert ["predicted"] == (await world.get("A/i-1/forest"))[0]
    assert ["one", "scaled", "predicted", "three", "four"] == (await world.find(logStreamNamePrefix="A/i-1"))[0]


async def test_streams(world: LogsWorld) -> None:
    first, _, empty = (await world.call("DescribeLogStreams", logGroupName=GROUP))["logStreams"]
    assert {
        "logStreamName": "A/i-1",
        "creationTime": START_MS,
        "firstEventTimestamp": START_MS,
        "lastEventTimestamp": START_MS + 1000,
        "lastIngestionTime": START_MS + 1000,
        "arn": f"{ARN}{GROUP}:log-stream:A/i-1",
        "storedBytes": (world.root / "us-east-1/iris/A/i-1.log").stat().st_size,
    } == first
    assert {"logStreamName", "creationTime", "arn", "storedBytes"} == empty.keys()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["A/i-1", "A/i-2", "B/i-3"]),
        ({"logStreamNamePrefix": "A/"}, ["A/i-1", "A/i-2"]),
        ({"descending": True}, ["B/i-3", "A/i-2", "A/i-1"]),
        ({"orderBy": "LastEventTime"}, ["B/i-3", "A/i-1", "A/i-2"]),
        ({"orderBy": "LastEventTime", "descending": True}, ["A/i-2", "A/i-1", "B/i-3"]),
    ],
)
async def test_streams_page_by_page(world: LogsWorld, request_: dict[str, Any], expected: list[str]) -> None:
    names: list[str] = []
    token: dict[str, str] | None = {}
    while token is not None:
        page = await world.call("DescribeLogStreams", logGroupName=GROUP, limit=1, **request_, **token)
        names += [stream["logStreamName"] for stream in page["logStreams"]]
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else None
    assert expected == names


@pytest.mark.parametrize("identifier", [GROUP, ARN + GROUP, f"{ARN}{GROUP}:*"])
async def test_a_group_by_its_arn(world: LogsWorld, identifier: str) -> None:
    assert 3 == len((await world.call("DescribeLogStreams", logGroupIdentifier=identifier))["logStreams"])


async def test_a_stream_from_its_head_and_on(world: LogsWorld) -> None:
    first, _, forward = await world.get(startFromHead=True, limit=2)
    assert ["one", "three"] == first
    second, back, forward = await world.get(nextToken=forward, startFromHead=True)
    assert ["four"] == second
    nothing, _, again = await world.get(nextToken=forward)
    assert ([], forward) == (nothing, again)
    world.write("A/i-1", (3000, "six"))
    assert ["six"] == (await world.get(nextToken=forward))[0]
    assert ["one", "three"] == (await world.get(nextToken=back))[0]


async def test_a_stream_from_its_tail_and_back(world: LogsWorld) -> None:
    last, back, forward = await world.get(limit=2)
    assert ["three", "four"] == last
    earlier, start, _ = await world.get(nextToken=back, limit=2)
    assert ["one"] == earlier
    nothing, again, _ = await world.get(nextToken=start)
    assert ([], start) == (nothing, again)
    world.write("A/i-1", (3000, "six"))
    assert ["six"] == (await world.get(nextToken=forward))[0]


@pytest.mark.parametrize("is_forward", [True, False])
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 1000, ["one"]), (1, 1001, ["three", "four"]), (1000, 1000, []), (2000, 9000, [])],
)
async def test_a_time_range_has_its_start_and_not_its_end(
    world: LogsWorld, start: int, end: int, expected: list[str], is_forward: bool
) -> None:
    request = {"startTime": START_MS + start, "endTime": START_MS + end, "startFromHead": is_forward}
    assert expected == (await world.get(**request))[0]


@pytest.mark.parametrize("is_forward", [True, False])
async def test_pages_hold_so_many_bytes_at_most(
    world: LogsWorld, monkeypatch: pytest.MonkeyPatch, is_forward: bool
) -> None:
    monkeypatch.setattr(telemetry, "PAGE_BYTES_MAX", 200)
    world.write("A/i-5", *((number, f"{number:03}" + "x" * 30) for number in range(20)), (20, "y" * 999), (21, "z"))
    seen: list[str] = []
    request: dict[str, Any] = {"startFromHead": is_forward}
    while True:
        page, back, forward = await world.get("A/i-5", **request)
        if not page:
            break
        assert len(page) < 8
        seen = seen + page if is_forward else page + seen
        request = {"nextToken": forward if is_forward else back}
    assert [f"{number:03}" for number in range(20)] + ["yyy", "z"] == [message[:3] for message in seen]


async def test_several_streams_as_one_sequence(world: LogsWorld) -> None:
    assert (ALL, None) == await world.find()
    [event] = (await world.call("FilterLogEvents", logGroupName=GROUP, limit=1))["events"]
    assert ("A/i-1", START_MS, START_MS) == (event["logStreamName"], event["timestamp"], event["ingestionTime"])
    assert 56 == len(event["eventId"])
    seen, following = await world.find(limit=1)
    while following is not None:
        page, following = await world.find(limit=1, nextToken=following)
        seen += page
    assert ALL == seen


async def test_following_by_time_tells_new_lines_from_old(world: LogsWorld) -> None:
    """What `aws logs tail --follow` does."""
    seen: dict[str, str] = {}
    since = START_MS
    for number in range(3):
        page = await world.call("FilterLogEvents", logGroupName=GROUP, startTime=since)
        seen |= {event["eventId"]: event["message"] for event in page["events"]}
        since = max(event["timestamp"] for event in page["events"])
        world.write("A/i-2", (2000, f"new {number}"))
    assert [*ALL, "new 0", "new 1"] == list(seen.values())


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"logStreamNames": ["A/i-2", "B/i-3"]}, ["two", "five"]),
        ({"logStreamNamePrefix": "A/i-1"}, ["one", "three", "four"]),
        ({"startTime": START_MS + 500, "endTime": START_MS + 1000}, ["two", "three", "four"]),
        ({"filterPattern": "o"}, ["one", "two", "four"]),
        ({"filterPattern": "o f"}, ["four"]),
        ({"filterPattern": "?one ?five"}, ["one", "five"]),
        ({"filterPattern": 'o -f -"tw"'}, ["one"]),
        ({"filterPattern": "O"}, []),
        ({"filterPattern": "  "}, ALL),
    ],
)
async def test_what_is_searched(world: LogsWorld, request_: dict[str, Any], expected: list[str]) -> None:
    assert (expected, None) == await world.find(**request_)


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_the_latest_first(world: LogsWorld, limit: int) -> None:
    assert ALL[::-1] == await world.find_all(startFromHead=False, limit=limit)
    since = {"startTime": START_MS + 500, "endTime": START_MS + 1000}
    assert ["four", "three", "two"] == await world.find_all(startFromHead=False, limit=limit, **since)
    assert ["five", "four"] == await world.find_all(startFromHead=False, limit=limit, filterPattern="f")


DISORDER = {"A/i-1": (0, 6, 5, 7, 7, 4, 8), "A/i-2": (5, 6, 5, 9), "B/i-3": (6, 3, 4, 8, 5)}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("is_ascending", [True, False])
async def test_of_lines_that_several_processes_printed_in_no_order_none_is_lost(
    world: LogsWorld, limit: int, is_ascending: bool
) -> None:
    lines = [(at, f"{stream} {place} {at}") for stream, times in DISORDER.items() for place, at in enumerate(times)]
    for at, line in lines:
        world.write(line.split()[0], (at, line), endpoint="busy")
    request = {"group": "/aws/sagemaker/Endpoints/busy", "limit": limit, "startFromHead": is_ascending}
    assert sorted(line for _, line in lines) == sorted(await world.find_all(**request))
    some = await world.find_all(**request, startTime=START_MS + 5, endTime=START_MS + 7)
    assert sorted(line for at, line in lines if 5 <= at <= 7) == sorted(some)


@pytest.mark.parametrize("is_ascending", [True, False])
async def test_a_clock_that_was_put_back_loses_no_lines(world: LogsWorld, is_ascending: bool) -> None:
    world.write("A/i-1", *((at, f"{at}") for at in (*range(10_000, 10_050), *range(50))), endpoint="alone")
    request = {"group": "/aws/sagemaker/Endpoints/alone", "limit": 7, "startFromHead": is_ascending}
    found = await world.find_all(**request)
    assert [f"{at}" for at in (*range(10_000, 10_050), *range(50))] == (found if is_ascending else found[::-1])


async def test_a_token_keeps_the_order_of_its_search(world: LogsWorld) -> None:
    _, token = await world.find(startFromHead=False, limit=1)
    assert (ALL[-2::-1], None) == await world.find(nextToken=token, startFromHead=True)


async def test_phrases(world: LogsWorld) -> None:
    world.write("A/i-1", (9000, 'no such file "x"'), (9001, "file such no"))
    assert ['no such file "x"'] == (await world.find(filterPattern='"no such"  "file"'))[0]
    assert ['no such file "x"'] == (await world.find(filterPattern=r'"file \"x"'))[0]


@pytest.mark.parametrize("is_descending", [False, True])
async def test_more_streams_than_a_process_may_have_files(world: LogsWorld, is_descending: bool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(200):
        world.write(f"A/i-{number}x", *((3000 + step * 200 + number, f"{step:02}-{number:03}") for step in range(20)))
    expected = [f"{step:02}-{number:03}" for step in range(20) for number in range(200)]
    open_now = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, open_now + 50), hard))
    try:
        found = await world.find_all(filterPattern='"-"', startFromHead=not is_descending, limit=1500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (expected[::-1] if is_descending else expected) == found


async def test_streams_that_were_written_before_the_time_are_not_looked_at(world: LogsWorld) -> None:
    path = world.write("A/i-1", (3_600_000, "later"))
    os.utime(path, (START_MS / 1000, START_MS / 1000))
    assert ["later"] == await world.find_all(startTime=START_MS + 3_000_000)
    assert [] == await world.find_all(startTime=START_MS + 3 * 3_600_000)


async def test_a_long_search_pauses(world: LogsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "SCAN_BYTES_MAX", 40)
    found, following = await world.find(filterPattern="five")
    assert [] == found
    pages = 1
    while following is not None:
        page, following = await world.find(filterPattern="five", nextToken=following)
        found += page
        pages += 1
    assert (["five"], 3) == (found, pages)


async def test_a_search_that_takes_long_answers_with_what_it_has(
    world: LogsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SEARCH_S", -1.0)
    found, following = await world.find()
    assert ["one"] == found
    assert following is not None
    assert ALL == await world.find_all()
    assert ALL[::-1] == await world.find_all(startFromHead=False)


NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")


def invalid(message: str) -> tuple[str, str]:
    return "InvalidParameterException", message


REFUSED: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("DescribeLogStreams", {"logGroupName": "/aws/sagemaker/Endpoints/gone"}, NO_GROUP),
    ("DescribeLogStreams", {"logGroupName": "/aws/lambda/iris"}, NO_GROUP),
    ("DescribeLogStreams", {"logGroupName": "/aws/sagemaker/Endpoints/../us-east-1/iris"}, NO_GROUP),
    ("DescribeLogStreams", {"logGroupName": "/aws/sagemaker/Endpoints/.."}, NO_GROUP),
    ("DescribeLogStreams", {"logGroupIdentifier": ARN.replace("us-east-1", "eu-west-1") + GROUP}, NO_GROUP),
    (
        "DescribeLogStreams",
        {"logGroupName": GROUP, "logGroupIdentifier": GROUP},
        invalid("Exactly one of logGroupName and logGroupIdentifier must be given."),
    ),
    (
        "DescribeLogStreams",
        {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "A"},
        invalid("Cannot order by LastEventTime with a logStreamNamePrefix."),
    ),
    (
        "DescribeLogGroups",
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "a"},
        invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters."),
    ),
    ("GetLogEvents", {"logGroupName": GROUP, "logStreamName": "A/i-7"}, NO_STREAM),
    ("GetLogEvents", {"logGroupName": GROUP, "logStreamName": "../../../x"}, NO_STREAM),
    (
        "GetLogEvents",
        {"logGroupName": GROUP, "logStreamName": "A/i-1", "nextToken": "f/x"},
        invalid("The specified nextToken is invalid."),
    ),
    ("FilterLogEvents", {"logGroupName": "/aws/sagemaker/Endpoints/gone"}, NO_GROUP),
    ("FilterLogEvents", {"logGroupName": GROUP, "logStreamNames": ["A/i-1", "A/i-7"]}, NO_STREAM),
    (
        "FilterLogEvents",
        {"logGroupName": GROUP, "logStreamNames": ["A/i-1"], "logStreamNamePrefix": "A"},
        invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."),
    ),
    ("FilterLogEvents", {"logGroupName": GROUP, "nextToken": "☂"}, invalid("The specified nextToken is invalid.")),
    (
        "FilterLogEvents",
        {"logGroupName": GROUP, "filterPattern": 'a "b'},
        invalid("Invalid filter pattern: the quoted phrase has no end at character 3."),
    ),
]


@pytest.mark.parametrize(("operation", "request_", "expected"), REFUSED)
async def test_refused(world: LogsWorld, operation: str, request_: dict[str, Any], expected: tuple[str, str]) -> None:
    with pytest.raises(ServiceError) as caught:
        await world.call(operation, **request_)
    assert expected == (caught.value.code, caught.value.message)


@pytest.mark.parametrize("token", ["f/999999", "b/999999", "f/000000000000000001", "b/000000000000000001"])
async def test_a_position_of_ones_own_making_does_no_harm(world: LogsWorld, token: str) -> None:
    lines, _, _ = await world.get(nextToken=token)
    assert set(lines) <= {"one", "three", "four"}
