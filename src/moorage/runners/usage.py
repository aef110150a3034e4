"""What instances use of their machine, as a runner that knows tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from moorage.core.model import EndpointKey, InstanceId


@dataclass(frozen=True, slots=True)
class Usage:
    """What one instance uses, at one moment."""

    endpoint: EndpointKey
    variant: str
    instance: InstanceId
    memory_bytes_max: int
    """What it may use: that of its instance type, or of its serverless config."""
    at_s: float
    """When, by a clock that never goes back."""
    cpu_s: Mapping[str, float]
    """Processor time by process, since each began. A name is never given to another process."""
    disk_percent: float
    """How full the file system is that it works on."""
    memory_bytes: int | None = None
    """Of all its processes; what they share with others counts in part. None if it was not looked at."""


class Meters(Protocol):
    """Who can tell."""

    async def measure_usage(self, *, with_memory: bool) -> Sequence[Usage]:
        """Of every instance that is ready. Memory takes milliseconds a process. Raises RunnerError."""
        ...
