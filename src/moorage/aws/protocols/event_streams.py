"""Answers that are a stream of events, for operations of the JSON protocol.

Each event is a message of `aws.eventstream`, named by the member of the stream's union that it is. The first is
`initial-response`, which holds the answer's other members: clients of RPC protocols wait for it (botocore's
`EventStream.get_initial_response`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from botocore.model import OperationModel

from moorage.aws import eventstream
from moorage.aws.errors import ServiceError
from moorage.aws.protocols import documents

_JSON = "application/json"


def stream_member(operation: OperationModel) -> str | None:
    """Which member of the answer is a stream of events, if one is."""
    if not operation.has_event_stream_output:
        return None
    shape = operation.output_shape
    assert shape is not None
    name: str = next(name for name, member in shape.members.items() if member.serialization.get("eventstream"))
    return name


async def encode_events(
    operation: OperationModel, output: Mapping[str, Any], events: AsyncIterator[Mapping[str, Any]]
) -> AsyncIterator[bytes]:
    """The messages of `events`, each of which has one member. A modelled error ends the stream in order."""
    stream = operation.get_event_stream_output()
    try:
        yield eventstream.message(eventstream.event_headers("initial-response", _JSON), msgspec.json.encode(output))
        async for event in events:
            ((name, members),) = event.items()
            payload = msgspec.json.encode(documents.write(stream.members[name], members))
            yield eventstream.message(eventstream.event_headers(name, _JSON), payload)
    except ServiceError as error:
        if error.code not in stream.members:
            raise
        yield eventstream.exception(error.code, {"message": error.message})
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
