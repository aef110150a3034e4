"""Reading log events: GetLogEvents and FilterLogEvents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from moorage.api.logs.errors import invalid, no_such_stream
from moorage.api.logs.filter_pattern import read_pattern
from moorage.api.logs.part import Part, in_thread
from moorage.api.logs.tokens import backward_token, forward_token, read_position, read_search, search_token
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import (
    FilteredLogEvent,
    FilterLogEventsRequest,
    FilterLogEventsResponse,
    GetLogEventsRequest,
    GetLogEventsResponse,
)
from moorage.telemetry.log_file import LogEvent
from moorage.telemetry.log_places import StreamFile
from moorage.telemetry.logs import LogPage, Search, read_backward, read_forward, search

EVENTS_MAX: Final = 10_000
SEARCH_S: Final = 5.0
"""How long a search goes on before it answers with what it has found so far."""


class LogEvents(Part):
    """The operations that read events."""

    @operation("GetLogEvents")
    async def get_log_events(self, caller: Caller, request: GetLogEventsRequest) -> GetLogEventsResponse:
        """A stream's lines, from its head or its tail. At either end a token leads back to itself."""
        stream = await self._stream(caller.region, self._group_meant(caller, request), request["logStreamName"])
        page = await in_thread(lambda: _read(stream, request))
        return {
            "events": [
                {"timestamp": event.at_ms, "message": event.message, "ingestionTime": event.came_ms}
                for event in page.events
            ],
            "nextForwardToken": forward_token(page.end),
            "nextBackwardToken": backward_token(page.start),
        }

    @operation("FilterLogEvents")
    async def filter_log_events(self, caller: Caller, request: FilterLogEventsRequest) -> FilterLogEventsResponse:
        """The lines of several streams as one sequence. A page may be empty and still not be the last.

        `interleaved` is ignored, as AWS does, and so is `unmask`: nothing is masked.
        """
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
        matches = read_pattern(request.get("filterPattern", "")).matches
        is_descending, after = not request.get("startFromHead", True), None
        if "nextToken" in request:
            is_descending, after = read_search(request["nextToken"])
        deadline = self._clock.monotonic() + SEARCH_S
        wanted = Search(
            since=request.get("startTime", 0),
            before=request["endTime"] + 1 if "endTime" in request else None,
            limit=request.get("limit", EVENTS_MAX),
            matches=matches,
            after=after,
            is_descending=is_descending,
            has_to_pause=lambda: self._clock.monotonic() > deadline,
        )
        streams = _searched(await self._streams(caller.region, self._group_meant(caller, request)), request)
        found = await in_thread(lambda: search(streams, wanted))
        response: FilterLogEventsResponse = {
            "events": [_filtered(stream, event) for stream, event in found.events],
            "searchedLogStreams": [],
        }
        if found.cursor is not None:
            response["nextToken"] = search_token(found.cursor, is_descending=is_descending)
        return response


def _read(stream: StreamFile, request: GetLogEventsRequest) -> LogPage:
    direction, position = "f" if request.get("startFromHead") else "b", None
    if "nextToken" in request:
        direction, position = read_position(request["nextToken"])
    since, before, limit = request.get("startTime", 0), request.get("endTime"), request.get("limit", EVENTS_MAX)
    if direction == "f":
        return read_forward(stream, after=position, since=since, before=before, limit=limit)
    return read_backward(stream, until=position, since=since, before=before, limit=limit)


def _searched(present: Mapping[str, StreamFile], request: FilterLogEventsRequest) -> list[StreamFile]:
    """The streams that a request means. Raises ResourceNotFoundException."""
    if "logStreamNames" not in request:
        prefix = request.get("logStreamNamePrefix", "")
        return [stream for name, stream in present.items() if name.startswith(prefix)]
    if not set(request["logStreamNames"]) <= set(present):
        raise no_such_stream()
    return [present[name] for name in dict.fromkeys(request["logStreamNames"])]


def _filtered(stream: str, event: LogEvent) -> FilteredLogEvent:
    return {
        "logStreamName": stream,
        "timestamp": event.at_ms,
        "message": event.message,
        "ingestionTime": event.came_ms,
        "eventId": _event_id(stream, event),
    }


def _event_id(stream: str, event: LogEvent) -> str:
    """Fifty-six digits, the same for the same line at every look, by which followers tell new lines from old."""
    digest = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:7], "big")
    return f"{event.at_ms:020d}{digest:018d}{event.start:018d}"
