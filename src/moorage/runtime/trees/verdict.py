"""What the check of a compiled model came to: enough to compile the same model again without checking it again.

An instance tells the agent what it found before it is ready, and the next instance of the very same container is told.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one model, by one version of its framework and of this code."""

    rows: int = 0
    """On how many rows the compiled model answered as its framework; 0 if it is not to be compiled."""
    quickened: bool = False
    """Whether bit vectors did as well."""
    reason: str = ""
    """Why it is not compiled, as the rest of a sentence; empty as well for what cannot be compiled at all."""


@dataclass(slots=True)
class Recollection:
    """What is known of the model that is about to be loaded, and what is found out about it."""

    known: Verdict | None = None
    found: Verdict | None = None


RECOLLECTION: Final[ContextVar[Recollection | None]] = ContextVar("RECOLLECTION", default=None)
"""Set while a model is loaded that may have been checked before."""
