"""Reading an endpoint's log streams through the CloudWatch Logs API, several instances as one sequence of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

EVENTS_PER_CALL_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an instance has logged."""

    at_ms: int
    stream: str
    message: str

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{at} {self.stream} {self.message}"


def log_group(endpoint: str) -> str:
    """The log group of an endpoint, named as SageMaker names it."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


@dataclass(slots=True)
class LogTail:
    """The end of an endpoint's logs: the last lines first, then whatever comes after them."""

    client: Any
    endpoint: str
    _tokens: dict[str, str] = field(default_factory=dict)

    def last(self, count: int) -> list[LogLine]:
        """The last `count` lines of all instances, oldest first; later calls of `new` go on from here."""
        lines = [line for stream in self._streams() for line in self._read(stream, count)]
        return _in_order(lines)[-count:] if count else []

    def new(self) -> list[LogLine]:
        """Lines that have come since the last call, oldest first."""
        return _in_order([line for stream in self._streams() for line in self._read_on(stream)])

    def _streams(self) -> Iterator[str]:
        pages = self.client.get_paginator("describe_log_streams").paginate(logGroupName=log_group(self.endpoint))
        try:
            for page in pages:
                yield from (stream["logStreamName"] for stream in page["logStreams"])
        except self.client.exceptions.ResourceNotFoundException:
            return  # nothing has been logged yet

    def _read(self, stream: str, count: int) -> list[LogLine]:
        return self._events(stream, startFromHead=False, limit=max(1, min(count, EVENTS_PER_CALL_MAX)))

    def _read_on(self, stream: str) -> Iterator[LogLine]:
        while True:
            token = self._tokens.get(stream)
            yield from self._events(stream, startFromHead=True, **({"nextToken": token} if token else {}))
            if self._tokens[stream] == token:  # the same token again means the end, by CloudWatch's rule
                return

    def _events(self, stream: str, **options: Any) -> list[LogLine]:
        answer = self.client.get_log_events(logGroupName=log_group(self.endpoint), logStreamName=stream, **options)
        self._tokens[stream] = answer["nextForwardToken"]
        return [LogLine(event["timestamp"], stream, event["message"]) for event in answer["events"]]


def _in_order(lines: list[LogLine]) -> list[LogLine]:
    """By time; lines of one stream keep their order, since the sort is stable."""
    return sorted(lines, key=lambda line: line.at_ms)
