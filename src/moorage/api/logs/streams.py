"""Log streams: CreateLogStream, DeleteLogStream, DescribeLogStreams.

A stream of an instance is there as soon as it prints something; those that are made by hand may be in any group.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Final

from moorage.api.logs.errors import invalid, stream_exists
from moorage.api.logs.listing import LIMIT_DEFAULT, page_behind
from moorage.api.logs.part import Part, in_thread
from moorage.api.service import Caller, operation
from moorage.aws.types import logs as aws
from moorage.telemetry import log_trim
from moorage.telemetry.log_places import StreamExists, StreamFile
from moorage.telemetry.logs import LogStream, NoSuchStream, look

_TIME_DIGITS: Final = 20


class LogStreams(Part):
    """The operations on log streams."""

    @operation("CreateLogStream")
    async def create_log_stream(self, caller: Caller, request: aws.CreateLogStreamRequest) -> None:
        """Make an empty stream."""
        region, group, stream = caller.region, request["logGroupName"], request["logStreamName"]
        await self._require_group(region, group)
        now_ms = int(self._clock.now().timestamp() * 1000)
        try:
            await in_thread(lambda: self._places.create(region, group, stream, now_ms=now_ms))
        except StreamExists:
            raise stream_exists() from None

    @operation("DeleteLogStream")
    async def delete_log_stream(self, caller: Caller, request: aws.DeleteLogStreamRequest) -> None:
        """Remove a stream. One that an instance still prints to has nothing but what it prints from now on."""
        stream = await self._stream(caller.region, request["logGroupName"], request["logStreamName"])
        await in_thread(lambda: log_trim.delete(stream, self._places))

    @operation("DescribeLogStreams")
    async def describe_log_streams(
        self, caller: Caller, request: aws.DescribeLogStreamsRequest
    ) -> aws.DescribeLogStreamsResponse:
        """The streams of a group, by name or by their last event."""
        by_time = request.get("orderBy") == "LastEventTime"
        if by_time and "logStreamNamePrefix" in request:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = self._group_meant(caller, request)
        prefix = request.get("logStreamNamePrefix", "")
        streams = await self._streams(caller.region, group)
        wanted = {name: stream for name, stream in streams.items() if name.startswith(prefix)}
        group_arn = self._group_arn(caller.region, group)
        return await in_thread(lambda: _page(wanted, request, group_arn=group_arn, by_time=by_time))


def _page(
    streams: dict[str, StreamFile], request: aws.DescribeLogStreamsRequest, *, group_arn: str, by_time: bool
) -> aws.DescribeLogStreamsResponse:
    places = [(name, name) for name in streams]
    if by_time:
        places = [(_time_place(facts), facts.name) for facts in _look(streams.values())]
    is_descending = request.get("descending", False)
    page, token = page_behind(
        sorted(places, reverse=is_descending),
        request.get("nextToken"),
        is_behind=operator.lt if is_descending else operator.gt,
        limit=request.get("limit", LIMIT_DEFAULT),
    )
    return {"logStreams": [_shown(facts, group_arn) for facts in _look(streams[name] for name in page)], **token}


def _look(streams: Iterable[StreamFile]) -> Iterator[LogStream]:
    """What there is to say about streams; those that have just gone are left out."""
    for stream in streams:
        try:
            yield look(stream)
        except NoSuchStream:
            continue


def _time_place(stream: LogStream) -> str:
    """Sorts as the time of the last event does, streams without one first."""
    return f"{stream.last_ms or 0:0{_TIME_DIGITS}d}/{stream.name}"


def _shown(stream: LogStream, group_arn: str) -> aws.LogStream:
    shown: aws.LogStream = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": stream.size_bytes,
    }
    if stream.first_ms is not None and stream.last_ms is not None and stream.came_ms is not None:
        shown["firstEventTimestamp"] = stream.first_ms
        shown["lastEventTimestamp"] = stream.last_ms
        shown["lastIngestionTime"] = stream.came_ms
    return shown
