"""What the check of a compiled model came to: enough to compile the same model again without checking it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one model, by one version of its framework and of this code."""

    rows: int = 0
    """On how many rows the compiled model answered as its framework; 0 if it is not to be compiled."""
    quickened: bool = False
    """Whether bit vectors did as well."""
    reason: str = ""
    """Why it is not compiled, as the rest of a sentence; empty as well for what cannot be compiled at all."""
