"""StartLiveTail: what comes to log groups, as it comes, in an answer that lasts.

Clients put `stream-` before the host name, which no address on loopback has: they have to be told not to
(`inject_host_prefix=False` in botocore's Config, or `AWS_DISABLE_HOST_PREFIX_INJECTION=true`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple

from moorage.api.logs.errors import invalid
from moorage.api.logs.filter_pattern import read_pattern
from moorage.api.logs.part import Part
from moorage.api.service import Caller, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.logs import (
    LiveTailSessionLogEvent,
    LiveTailSessionStart,
    StartLiveTailRequest,
    StartLiveTailResponse,
    StartLiveTailResponseStream,
)
from moorage.core.log_patterns import Pattern
from moorage.system.entropy import new_request_id
from moorage.telemetry.log_follower import Follower

INTERVAL_S: Final = 1.0
SESSION_S: Final = 3 * 3600.0
EVENTS_MAX: Final = 500
"""Of one update: more are sampled (API reference, StartLiveTail)."""


class _Followed(NamedTuple):
    identifier: str
    follower: Follower


class LiveTail(Part):
    """The operation."""

    @operation("StartLiveTail")
    async def start_live_tail(self, caller: Caller, request: StartLiveTailRequest) -> StartLiveTailResponse:
        """An update every second, with what has come since the last one, for three hours at most."""
        is_wanted = _streams_wanted(request)
        pattern = read_pattern(request.get("logEventFilterPattern", ""))
        groups = [self._group_identified(caller, identifier) for identifier in request["logGroupIdentifiers"]]
        for group in groups:
            await self._require_group(caller.region, group)
        followed = [
            _Followed(
                f"{self._needs.account_id}:{group}",
                await asyncio.to_thread(Follower, self._places, caller.region, group, is_wanted=is_wanted),
            )
            for group in groups
        ]
        return {"responseStream": self._session(_start_of(caller, request), followed, pattern)}

    async def _session(
        self, start: LiveTailSessionStart, followed: Sequence[_Followed], pattern: Pattern
    ) -> AsyncIterator[StartLiveTailResponseStream]:
        yield {"sessionStart": start}
        end = self._clock.monotonic() + SESSION_S
        while self._clock.monotonic() < end:
            if self._needs.ending.is_set():
                raise ServiceError("SessionStreamingException", "Moorage is restarting: start another session.")
            found = await asyncio.to_thread(_new_events, followed, pattern)
            sample = _sampled(found)
            yield {
                "sessionUpdate": {
                    "sessionMetadata": {"sampled": len(sample) < len(found)},
                    "sessionResults": sample,
                }
            }
            await self._clock.sleep(INTERVAL_S)
        raise ServiceError("SessionTimeoutException", "The Live Tail session has reached its limit of three hours.")


def _new_events(followed: Sequence[_Followed], pattern: Pattern) -> list[LiveTailSessionLogEvent]:
    """What has come to all groups, by time."""
    found: list[LiveTailSessionLogEvent] = [
        {
            "logGroupIdentifier": identifier,
            "logStreamName": stream,
            "message": event.message,
            "timestamp": event.at_ms,
            "ingestionTime": event.came_ms,
        }
        for identifier, follower in followed
        for stream, event in follower.new()
        if pattern.matches(event.message)
    ]
    return sorted(found, key=lambda event: event["timestamp"])


def _sampled(found: list[LiveTailSessionLogEvent]) -> list[LiveTailSessionLogEvent]:
    """Not more than may be in an update, evenly from all of them."""
    if len(found) <= EVENTS_MAX:
        return found
    return [found[number * len(found) // EVENTS_MAX] for number in range(EVENTS_MAX)]


def _streams_wanted(request: StartLiveTailRequest) -> Callable[[str], bool]:
    """Raises InvalidParameterException."""
    names, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
    if names is not None and prefixes is not None:
        raise invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.")
    if (names is not None or prefixes is not None) and len(request["logGroupIdentifiers"]) > 1:
        raise invalid("Log streams can only be given for a single log group.")
    if names is not None:
        return frozenset(names).__contains__
    return (lambda _: True) if prefixes is None else lambda name: name.startswith(tuple(prefixes))


def _start_of(caller: Caller, request: StartLiveTailRequest) -> LiveTailSessionStart:
    return {
        "requestId": caller.request_id,
        "sessionId": new_request_id(),
        "logGroupIdentifiers": request["logGroupIdentifiers"],
        "logStreamNames": request.get("logStreamNames", []),
        "logStreamNamePrefixes": request.get("logStreamNamePrefixes", []),
        "logEventFilterPattern": request.get("logEventFilterPattern", ""),
    }
