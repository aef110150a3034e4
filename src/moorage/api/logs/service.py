"""The operations that read logs: DescribeLogGroups, DescribeLogStreams, GetLogEvents, FilterLogEvents.

An endpoint is a log group, an instance a log stream. What a line is ingested at is when it was written: nothing lies
between an instance and its log.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from moorage.api.logs.errors import invalid, no_such_group, no_such_stream
from moorage.api.logs.listing import page_of_groups, page_of_streams
from moorage.api.logs.patterns import parse_pattern
from moorage.api.logs.tokens import backward_token, cursor_token, forward_token, read_cursor, read_position
from moorage.api.service import Caller, Service, operation
from moorage.aws.types.logs import (
    DescribeLogGroupsRequest,
    DescribeLogGroupsResponse,
    DescribeLogStreamsRequest,
    DescribeLogStreamsResponse,
    FilteredLogEvent,
    FilterLogEventsRequest,
    FilterLogEventsResponse,
    GetLogEventsRequest,
    GetLogEventsResponse,
)
from moorage.core.iam.principal import Requirement
from moorage.core.names import LOG_GROUP_PREFIX
from moorage.telemetry.log_file import LogEvent
from moorage.telemetry.logs import LogFolder, LogPage, NoSuchGroup, NoSuchStream

T = TypeVar("T")
_EVENTS_MAX: Final = 10_000


class Logs(Service):
    """CloudWatch Logs over the log folder."""

    name = "logs"

    def __init__(self, folder: LogFolder, *, account_id: str) -> None:
        self._folder = folder
        self._account_id = account_id

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The group and stream that are named."""
        name = request.get("logGroupName") or request.get("logGroupIdentifier", "").partition(":log-group:")[2]
        group = (name or request.get("logGroupIdentifier", "")).removesuffix(":*")
        stream = request.get("logStreamName", "")
        resource = f"arn:aws:logs:{caller.region}:{self._account_id}:log-group:{group}:log-stream:{stream}"
        return [Requirement(f"logs:{operation}", resource)]

    @operation("DescribeLogGroups")
    async def describe_log_groups(self, caller: Caller, request: DescribeLogGroupsRequest) -> DescribeLogGroupsResponse:
        """The log groups of the region's endpoints, by name."""
        return await _in_thread(lambda: page_of_groups(self._folder, caller.region, self._account_id, request=request))

    @operation("DescribeLogStreams")
    async def describe_log_streams(
        self, caller: Caller, request: DescribeLogStreamsRequest
    ) -> DescribeLogStreamsResponse:
        """The streams of a group, by name or by their last event."""
        endpoint = self._endpoint(caller, request)
        return await _in_thread(
            lambda: page_of_streams(self._folder, caller.region, self._account_id, endpoint=endpoint, request=request)
        )

    @operation("GetLogEvents")
    async def get_log_events(self, caller: Caller, request: GetLogEventsRequest) -> GetLogEventsResponse:
        """A stream's lines, from its head or its tail. At either end a token leads back to itself."""
        endpoint = self._endpoint(caller, request)
        page = await _in_thread(lambda: self._read(caller.region, endpoint, request))
        return {
            "events": [
                {"timestamp": event.at_ms, "message": event.message, "ingestionTime": event.at_ms}
                for event in page.events
            ],
            "nextForwardToken": forward_token(page.end),
            "nextBackwardToken": backward_token(page.start),
        }

    @operation("FilterLogEvents")
    async def filter_log_events(self, caller: Caller, request: FilterLogEventsRequest) -> FilterLogEventsResponse:
        """The lines of several streams as one sequence. A page may be empty and still not be the last."""
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
        if not request.get("startFromHead", True):
            raise invalid("Moorage does not support startFromHead false in FilterLogEvents yet.")
        endpoint = self._endpoint(caller, request)
        matches = parse_pattern(request.get("filterPattern", "")).matches
        after = read_cursor(request["nextToken"]) if "nextToken" in request else None
        found = await _in_thread(
            lambda: self._folder.search(
                caller.region,
                endpoint,
                streams=self._searched(caller.region, endpoint, request),
                since=request.get("startTime", 0),
                before=request["endTime"] + 1 if "endTime" in request else None,
                after=after,
                limit=request.get("limit", _EVENTS_MAX),
                matches=matches,
            )
        )
        response: FilterLogEventsResponse = {
            "events": [_filtered(stream, event) for stream, event in found.events],
            "searchedLogStreams": [],
        }
        if found.cursor is not None:
            response["nextToken"] = cursor_token(found.cursor)
        return response

    def _read(self, region: str, endpoint: str, request: GetLogEventsRequest) -> LogPage:
        direction, position = "f" if request.get("startFromHead") else "b", None
        if "nextToken" in request:
            direction, position = read_position(request["nextToken"])
        stream, before = request["logStreamName"], request.get("endTime")
        since, limit = request.get("startTime", 0), request.get("limit", _EVENTS_MAX)
        if direction == "f":
            return self._folder.read_forward(
                region, endpoint, stream, after=position, since=since, before=before, limit=limit
            )
        return self._folder.read_backward(
            region, endpoint, stream, until=position, since=since, before=before, limit=limit
        )

    def _searched(self, region: str, endpoint: str, request: FilterLogEventsRequest) -> list[str]:
        present = self._folder.stream_names(region, endpoint)
        if "logStreamNames" not in request:
            prefix = request.get("logStreamNamePrefix", "")
            return [name for name in present if name.startswith(prefix)]
        if not set(request["logStreamNames"]) <= set(present):
            raise no_such_stream()
        return request["logStreamNames"]

    def _endpoint(self, caller: Caller, request: Mapping[str, Any]) -> str:
        """The endpoint whose log group is asked for, by name or by ARN."""
        name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
        if (name is None) == (identifier is None):
            raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
        if name is None:
            own = f"arn:aws:logs:{caller.region}:{self._account_id}:log-group:"
            name = str(identifier).removeprefix(own).removesuffix(":*")
        if not name.startswith(LOG_GROUP_PREFIX):
            raise no_such_group()
        return str(name.removeprefix(LOG_GROUP_PREFIX))


async def _in_thread(read: Callable[[], T]) -> T:
    """Read files without holding up the loop."""
    try:
        return await asyncio.to_thread(read)
    except NoSuchGroup:
        raise no_such_group() from None
    except NoSuchStream:
        raise no_such_stream() from None


def _filtered(stream: str, event: LogEvent) -> FilteredLogEvent:
    return {
        "logStreamName": stream,
        "timestamp": event.at_ms,
        "message": event.message,
        "ingestionTime": event.at_ms,
        "eventId": _event_id(stream, event),
    }


def _event_id(stream: str, event: LogEvent) -> str:
    """Fifty-six digits, the same for the same line at every look, by which followers tell new lines from old."""
    digest = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:7], "big")
    return f"{event.at_ms:020d}{digest:018d}{event.start:018d}"
