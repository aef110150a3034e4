"""What a front is told, and how it and the gateway speak of containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

INVOCATION_S: Final = 60.0
"""How long all containers together may take until the last of them begins its answer."""

TARGET: Final = b"x-amzn-sagemaker-target-container-hostname"
"""In a request: the container that it is for."""
CONTAINER: Final = b"x-moorage-container"
"""In an answer: whose it is, or who is to blame that there is none."""
FAILURE: Final = b"x-moorage-failure"
"""In an answer of the front's own: `late` or `broken`; the body says what happened to the container."""
LATENCIES: Final = b"x-moorage-container-latencies"
"""In an answer: the microseconds that each container took, `<name>=<microseconds>` with commas between."""


@dataclass(frozen=True, slots=True)
class FrontContainer:
    """A container behind the front."""

    name: str
    socket: str
    """The path it listens at."""
    is_multi_model: bool = False


@dataclass(frozen=True, slots=True)
class FrontPlan:
    """The containers in order, and whether a request passes all of them or is for one."""

    containers: tuple[FrontContainer, ...]
    is_serial: bool


class ContainerFailed(Exception):
    """A container gave no answer that could be passed on; the message is a clause for a person."""

    def __init__(self, container: str, reason: str, *, is_late: bool = False) -> None:
        super().__init__(reason)
        self.container = container
        self.is_late = is_late


def read_plan(told: Mapping[str, Any]) -> FrontPlan:
    """The member `front` of a `launch.json`, see `runners/process/front.py`."""
    return FrontPlan(tuple(FrontContainer(**each) for each in told["containers"]), is_serial=told["mode"] == "Serial")
