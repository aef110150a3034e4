"""A Live Tail session, as botocore reads it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from botocore.parsers import EventStreamJSONParser

from moorage.api.logs import live_tail
from moorage.aws.errors import ServiceError
from moorage.aws.protocols.event_streams import encode_events
from moorage.aws.services import service
from moorage.testing.logs_world import ARN, GROUP, START_MS, LogsWorld

OPERATION = service("logs").operation_model("StartLiveTail")


@pytest.fixture
def world(tmp_path: Path) -> LogsWorld:
    world = LogsWorld(tmp_path)
    world.write("A/i-1", (0, "before"))
    return world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "INTERVAL_S", 0.0)


async def start(world: LogsWorld, *identifiers: str, **request: Any) -> Any:
    answer = await world.call("StartLiveTail", logGroupIdentifiers=list(identifiers) or [ARN + GROUP], **request)
    return answer["responseStream"]


async def results(session: Any) -> list[str]:
    update = await anext(session)
    return [event["message"] for event in update["sessionUpdate"]["sessionResults"]]


async def test_a_session(world: LogsWorld) -> None:
    session = await start(world, logEventFilterPattern="-no")
    began = (await anext(session))["sessionStart"]
    assert ([ARN + GROUP], "-no", "request") == (
        began["logGroupIdentifiers"],
        began["logEventFilterPattern"],
        began["requestId"],
    )
    assert [] == await results(session)
    world.write("A/i-1", (5, "later"), (6, "no"))
    world.write("A/i-2", (1, "earlier"))
    update = (await anext(session))["sessionUpdate"]
    assert {"sampled": False} == update["sessionMetadata"]
    first, second = update["sessionResults"]
    assert {
        "logGroupIdentifier": f"123456789012:{GROUP}",
        "logStreamName": "A/i-2",
        "message": "earlier",
        "timestamp": START_MS + 1,
        "ingestionTime": START_MS + 1,
    } == first
    assert "later" == second["message"]
    assert [] == await results(session)


async def test_more_than_an_update_holds_is_sampled(world: LogsWorld) -> None:
    session = await start(world, logStreamNamePrefixes=["A/i-2"])
    await anext(session)
    world.write("A/i-1", (5, "of another stream"))
    world.write("A/i-2", *((number, str(number)) for number in range(1500)))
    update = (await anext(session))["sessionUpdate"]
    assert {"sampled": True} == update["sessionMetadata"]
    assert [str(number) for number in range(0, 1500, 3)] == [event["message"] for event in update["sessionResults"]]


async def test_a_session_ends_after_three_hours(world: LogsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "SESSION_S", 0.0)
    stream = _event_stream([piece async for piece in encode_events(OPERATION, {}, await start(world))])
    stream.get_initial_response()
    events = iter(stream)
    assert ["sessionStart"] == [*next(events)]
    with pytest.raises(EventStreamError, match=r"SessionTimeoutException.*limit of three hours"):
        next(events)


async def test_a_session_ends_before_control_does(world: LogsWorld) -> None:
    session = await start(world)
    await anext(session)
    world.ending.set()
    with pytest.raises(ServiceError, match="Moorage is restarting: start another session"):
        await anext(session)


async def test_botocore_reads_it(world: LogsWorld) -> None:
    messages = encode_events(OPERATION, {}, await start(world))
    pieces = [await anext(messages) for _ in range(3)]
    world.write("A/i-1", (5, "ünï ☂"))
    pieces.append(await anext(messages))
    await messages.aclose()
    stream = _event_stream(pieces)
    assert b"{}" == stream.get_initial_response().payload
    _, empty, update = list(stream)
    assert [] == empty["sessionUpdate"]["sessionResults"]
    (event,) = update["sessionUpdate"]["sessionResults"]
    assert ("ünï ☂", START_MS + 5) == (event["message"], event["timestamp"])


@pytest.mark.parametrize(
    ("identifiers", "request_", "message"),
    [
        (["/none"], {}, "The specified log group does not exist."),
        (
            [GROUP],
            {"logStreamNames": ["a"], "logStreamNamePrefixes": ["b"]},
            "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.",
        ),
        ([GROUP, GROUP], {"logStreamNames": ["a"]}, "Log streams can only be given for a single log group."),
        (
            [GROUP],
            {"logEventFilterPattern": '"'},
            "Invalid filter pattern: the quoted phrase has no end at character 1.",
        ),
    ],
)
async def test_refused(world: LogsWorld, identifiers: list[str], request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await start(world, *identifiers, **request_)
    assert message == caught.value.message


def _event_stream(pieces: list[bytes]) -> Any:
    raw = SimpleNamespace(stream=lambda: iter(pieces), close=lambda: None)
    return EventStream(raw, OPERATION.get_event_stream_output(), EventStreamJSONParser(), "StartLiveTail")
