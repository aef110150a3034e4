"""Reading an endpoint's log streams through the CloudWatch Logs API, several instances as one sequence of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

EVENTS_PER_CALL_MAX: Final = 10_000
_OVERLAP_MS: Final = 5_000
"""Lines of two instances need not come in the order of their times: how far back each look goes for late ones."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an instance has logged."""

    at_ms: int
    stream: str
    message: str
    id: str = ""

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{at} {self.stream} {self.message}"


def log_group(endpoint: str) -> str:
    """The log group of an endpoint, named as SageMaker names it."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


@dataclass(slots=True)
class LogTail:
    """The end of an endpoint's logs: the last lines first, then whatever comes after them.

    Of lines from `since_ms` on, those that match the filter pattern `pattern`.
    """

    client: Any
    endpoint: str
    since_ms: int = 0
    pattern: str = ""
    _seen: dict[str, int] = field(default_factory=dict)
    """The lines of the last few seconds by id, with their times."""

    def last(self, count: int) -> list[LogLine]:
        """The last `count` lines of all instances, oldest first; later calls of `new` go on from here."""
        lines: list[LogLine] = []
        for line in self._find(startFromHead=False, limit=max(1, min(count, EVENTS_PER_CALL_MAX))):
            if lines and len(lines) >= count and line.at_ms < lines[0].at_ms - _OVERLAP_MS:
                break
            lines.append(line)
        self._remember(lines)
        return lines[:count][::-1]

    def new(self) -> list[LogLine]:
        """Lines that have come since the last call, oldest first."""
        lines = [line for line in self._find() if line.id not in self._seen]
        self._remember(lines)
        return lines

    def _remember(self, lines: list[LogLine]) -> None:
        self._seen |= {line.id: line.at_ms for line in lines}
        latest = max(self._seen.values(), default=0)
        self.since_ms = max(self.since_ms, latest - _OVERLAP_MS)
        self._seen = {id: at_ms for id, at_ms in self._seen.items() if at_ms >= self.since_ms}

    def _find(self, **options: Any) -> Iterator[LogLine]:
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=log_group(self.endpoint), startTime=self.since_ms, filterPattern=self.pattern, **options
        )
        try:
            for page in pages:
                for event in page["events"]:
                    yield LogLine(event["timestamp"], event["logStreamName"], event["message"], event["eventId"])
        except self.client.exceptions.ResourceNotFoundException:
            return  # nothing has been logged yet
