"""When a variant has been asked nothing for long enough to be put to sleep. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BUSY_MAX: Final = timedelta(minutes=8)
"""How long a streamed answer may take: the longest that a request is known to be under way without being counted."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What was last seen of a variant's requests."""

    last_at: datetime
    """When one ended, or the variant began to be watched or was woken."""
    is_busy: bool = False
    """Whether any were on its instances then, or waited for the first of them."""


def is_idle(activity: Activity, *, patience: timedelta, now: datetime) -> bool:
    """Whether nothing was asked of it for so long. A request that has not ended keeps it awake while it may go on."""
    lasts = max(patience, BUSY_MAX) if activity.is_busy else patience
    return now - activity.last_at >= lasts
