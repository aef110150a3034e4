"""What a trace consists of, whoever it is sent to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class SpanKind(enum.Enum):
    """Which side of a call a span is (OpenTelemetry's names)."""

    SERVER = "server"
    CLIENT = "client"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took its time. Ids are not 0, times are nanoseconds since 1970."""

    name: str
    kind: SpanKind
    trace_id: int
    """Of 128 bits."""
    id: int
    """Of 64 bits."""
    parent_id: int
    """0 for the first of its trace."""
    began_ns: int
    ended_ns: int
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""
    """Empty if it went well."""
