"""What an alarm does when its state changes: handlers, found by how an action's ARN begins.

A handler is called at least once for every change that was saved: after a crash it may be called again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from moorage.core.alarms.model import Alarm, AlarmState

SCALING_PREFIX: Final = "arn:aws:autoscaling:"
"""Scaling policies: their actions are taken again every minute while the state lasts."""

TOPIC_PREFIX: Final = "arn:aws:sns:"
"""Topics, whose subscribers are notified."""


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """What an action is told."""

    alarm: Alarm
    """As it was saved. By now it may be in yet another state."""
    old: AlarmState
    """The same as `new` where the state only lasts."""
    new: AlarmState
    at: datetime
    """When the action is taken. When the state changed is `new.transitioned_at`."""


class ActionFailed(Exception):
    """The action cannot be taken, now or later. The message goes into the alarm's history."""


class AlarmAction(Protocol):
    """Takes one kind of action."""

    async def __call__(self, action_arn: str, change: AlarmChange) -> None:
        """Take the action. Raises ActionFailed; whatever else it raises, it is called again for the change later."""
        ...


class Actions:
    """The handlers."""

    def __init__(self, handlers: Mapping[str, AlarmAction]) -> None:
        """`handlers` by how the ARNs begin that each is for."""
        self._handlers = dict(handlers)

    async def take(self, arn: str, change: AlarmChange) -> None:
        """Have the handler of `arn` take the action. Raises ActionFailed and what the handler raises."""
        for prefix, handler in self._handlers.items():
            if arn.startswith(prefix):
                return await handler(arn, change)
        raise ActionFailed(f"Nothing here takes actions like {arn}")
