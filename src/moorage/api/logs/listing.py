"""Pages of log groups and of log streams. Blocks, as the log folder does.

A token is the place of the last item in the list's order; it is only compared with others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Final, NotRequired, TypedDict, TypeVar

from moorage.api.logs.errors import invalid
from moorage.aws.types import logs as aws
from moorage.core.names import log_group
from moorage.telemetry.logs import LogFolder, LogStream

T = TypeVar("T")
_PAGE_MAX: Final = 50
_TIME_DIGITS: Final = 20


class _NextToken(TypedDict):
    nextToken: NotRequired[str]


def page_of_groups(
    folder: LogFolder, region: str, account_id: str, *, request: aws.DescribeLogGroupsRequest
) -> aws.DescribeLogGroupsResponse:
    """The answer of DescribeLogGroups. Raises InvalidParameterException."""
    prefix, pattern = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
    wanted = [
        (log_group(endpoint), endpoint)
        for endpoint in folder.groups(region)
        if log_group(endpoint).startswith(prefix or "") and (pattern or "") in log_group(endpoint)
    ]
    page, token = _page(wanted, request.get("nextToken"), is_behind=operator.gt, limit=request.get("limit", _PAGE_MAX))
    return {"logGroups": [_group(folder, region, account_id, endpoint=endpoint) for endpoint in page], **token}


def page_of_streams(
    folder: LogFolder, region: str, account_id: str, *, endpoint: str, request: aws.DescribeLogStreamsRequest
) -> aws.DescribeLogStreamsResponse:
    """The answer of DescribeLogStreams. Raises InvalidParameterException, NoSuchGroup."""
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and "logStreamNamePrefix" in request:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    names = [
        name
        for name in folder.stream_names(region, endpoint)
        if name.startswith(request.get("logStreamNamePrefix", ""))
    ]
    if by_time:
        places = [(_time_place(stream), stream.name) for stream in folder.streams(region, endpoint, names=names)]
    else:
        places = [(name, name) for name in names]
    is_descending = request.get("descending", False)
    page, token = _page(
        sorted(places, reverse=is_descending),
        request.get("nextToken"),
        is_behind=operator.lt if is_descending else operator.gt,
        limit=request.get("limit", _PAGE_MAX),
    )
    group = f"arn:aws:logs:{region}:{account_id}:log-group:{log_group(endpoint)}"
    return {
        "logStreams": [_stream(stream, group) for stream in folder.streams(region, endpoint, names=page)],
        **token,
    }


def _page(
    places: Sequence[tuple[str, T]], token: str | None, *, is_behind: Callable[[str, str], bool], limit: int
) -> tuple[list[T], _NextToken]:
    """The items behind the token's place, and the token for what comes after them."""
    rest = [place for place in places if token is None or is_behind(place[0], token)]
    page = rest[:limit]
    more: _NextToken = {"nextToken": page[-1][0]} if len(rest) > len(page) else {}
    return [item for _, item in page], more


def _time_place(stream: LogStream) -> str:
    """Sorts as the time of the last event does, streams without one first."""
    return f"{stream.last_ms or 0:0{_TIME_DIGITS}d}/{stream.name}"


def _group(folder: LogFolder, region: str, account_id: str, *, endpoint: str) -> aws.LogGroup:
    name = log_group(endpoint)
    arn = f"arn:aws:logs:{region}:{account_id}:log-group:{name}"
    streams = folder.streams(region, endpoint, names=folder.stream_names(region, endpoint))
    group: aws.LogGroup = {
        "logGroupName": name,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "storedBytes": sum(stream.size_bytes for stream in streams),
    }
    if streams:
        group["creationTime"] = min(stream.created_ms for stream in streams)
    return group


def _stream(stream: LogStream, group_arn: str) -> aws.LogStream:
    shown: aws.LogStream = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": stream.size_bytes,
    }
    if stream.first_ms is not None and stream.last_ms is not None:
        shown["firstEventTimestamp"] = stream.first_ms
        shown["lastEventTimestamp"] = stream.last_ms
        shown["lastIngestionTime"] = stream.last_ms
    return shown
