"""Minutes that are not written yet: added to second by second, so that a minute's end costs no look back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from moorage.core.traffic import Tallies

MINUTE_S: Final = 60
LATE_S: Final = 2
"""How long after its end a minute is written: by then its last second has been taken, unless control was away."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """What was counted by minute, by the beginning of the minute in seconds since 1970."""

    by_start: Mapping[int, Tallies] = field(default_factory=dict)

    def with_seconds(self, seconds: Mapping[int, Tallies]) -> Minutes:
        """Together with what was counted in some seconds."""
        by_start = {start: dict(tallies) for start, tallies in self.by_start.items()}
        for second in sorted(seconds):
            minute = by_start.setdefault(second - second % MINUTE_S, {})
            for key, tally in seconds[second].items():
                known = minute.get(key)
                minute[key] = tally if known is None else known.then(tally)
        return Minutes(by_start)

    def due(self, at_s: float) -> Mapping[int, Tallies]:
        """Those that are to be written at `at_s`: a second that comes in late after that is written by itself."""
        end = due_until(at_s)
        return {start: tallies for start, tallies in self.by_start.items() if start < end}

    def after(self, at_s: float) -> Minutes:
        """The others."""
        end = due_until(at_s)
        return Minutes({start: tallies for start, tallies in self.by_start.items() if start >= end})


def due_until(at_s: float) -> int:
    """Minutes that begin before this are to be written at `at_s`."""
    late = int(at_s) - LATE_S
    return late - late % MINUTE_S
