"""What was done to a target, and what was not, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActivityStatus(StrEnum):
    """AWS's `StatusCode` of a scaling activity."""

    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    UNFULFILLED = "Unfulfilled"


class NotScaledCode(StrEnum):
    """AWS's reasons for a decision that came to nothing."""

    UNSCALABLE = "TargetServicePutResourceAsUnscalable"
    AT_MAXIMUM = "AlreadyAtMaxCapacity"
    AT_MINIMUM = "AlreadyAtMinCapacity"


@dataclass(frozen=True, slots=True)
class NotScaled:
    """Why a decision came to nothing, with the capacities that explain it."""

    code: NotScaledCode
    minimum: int | None = None
    maximum: int | None = None
    current: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that was done to a target, or was not, with the cause."""

    id: str
    description: str
    cause: str
    status: ActivityStatus
    status_message: str
    started_at: datetime
    ended_at: datetime | None = None
    details: str | None = None
    not_scaled: tuple[NotScaled, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """A change of capacity that is under way."""

    entry_id: int
    """Of the journal, where the activity is told."""
    activity: Activity
    capacity: int
