"""What an expression can go by, besides its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moorage.core.metrics.maths.program import SearchCall
from moorage.core.metrics.maths.values import Array, TimeSeries, Value, Window


@dataclass(frozen=True, slots=True)
class Scope:
    """The time, the values of the other queries by id, and which of them are metrics rather than expressions."""

    window: Window
    values: Mapping[str, Value] = field(default_factory=dict)
    metrics: Mapping[str, TimeSeries] = field(default_factory=dict)
    found: Mapping[SearchCall, Array] = field(default_factory=dict)
    """What each search has found."""
