"""Which batches of events PutLogEvents takes, and which events of a batch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from moorage.api.logs.errors import invalid
from moorage.aws.types.logs import InputLogEvent, RejectedLogEventsInfo

BATCH_BYTES_MAX: Final = 1_048_576
EVENT_BYTES_MAX: Final = 1_048_576
EVENT_OVERHEAD_BYTES: Final = 26
_SPAN_MS: Final = 24 * 3600 * 1000
_OLD: Final = timedelta(days=14)
_AHEAD: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events that are taken, by time and message, and which are not: at most some first and some last ones."""

    events: Sequence[tuple[int, str]]
    rejected: RejectedLogEventsInfo


def accept(events: Sequence[InputLogEvent], *, retention_days: int | None, now: datetime) -> Accepted:
    """What is taken of a batch. Raises InvalidParameterException if nothing of it can be.

    An end in the rejected events is exclusive, a start inclusive (API reference, RejectedLogEventsInfo).
    """
    _check(events)
    times = [event["timestamp"] for event in events]
    old_ms, ahead_ms = _ms(now - _OLD), _ms(now + _AHEAD)
    expired_ms = old_ms if retention_days is None else _ms(now - timedelta(days=retention_days))
    too_old = sum(time < old_ms for time in times)
    expired = sum(time < expired_ms for time in times)
    too_new = len(times) - sum(time > ahead_ms for time in times)
    rejected: RejectedLogEventsInfo = {}
    if too_new < len(times):
        rejected["tooNewLogEventStartIndex"] = too_new
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired > too_old:
        rejected["expiredLogEventEndIndex"] = expired
    taken = events[max(too_old, expired) : too_new]
    if taken and taken[-1]["timestamp"] - taken[0]["timestamp"] > _SPAN_MS:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    return Accepted([(event["timestamp"], event["message"]) for event in taken], rejected)


def _check(events: Sequence[InputLogEvent]) -> None:
    sizes = [len(event["message"].encode()) for event in events]
    if max(sizes) > EVENT_BYTES_MAX:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {EVENT_BYTES_MAX}")
    total = sum(sizes) + EVENT_OVERHEAD_BYTES * len(events)
    if total > BATCH_BYTES_MAX:
        raise invalid(f"Upload too large: {total} bytes exceeds limit of {BATCH_BYTES_MAX}")
    if any(first["timestamp"] > second["timestamp"] for first, second in pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
