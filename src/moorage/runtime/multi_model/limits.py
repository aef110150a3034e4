"""What a multi-model instance is told, and for how long things may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WAIT_S: Final = 58.0
"""A little less than the minute after which the gateway gives up by itself."""
LOAD_S: Final = 360.0
"""For how long loading goes on, whoever waits for it ("Invoke a Multi-Model Endpoint" of the developer guide)."""
REVALIDATE_S: Final = 3.0
RETRY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`multi_model` of `launch.json`."""

    bytes_max: int
    """How much memory the models may take together."""
    count_max: int = 1_000_000
    """How many there may be in memory."""
    threads: int = 1
    """How many models may work at once."""
    pinned: frozenset[str] = frozenset()
    """Models that are never unloaded to make room."""
    keeps_models: bool = True
    """Whether a model stays in memory after its last request."""
    wait_s: float = WAIT_S
    """How long a request waits for its model."""
    load_s: float = LOAD_S
    """How long loading one may take."""
    revalidate_s: float = REVALIDATE_S
    """How often a model that is used is compared with its object in S3."""
    retry_s: float = RETRY_S
    """When a model is tried again that could not be loaded, unless its object has changed before."""


def read_limits(told: Mapping[str, Any]) -> Limits:
    """The limits as `launch.json` has them."""
    return Limits(**{**told, "pinned": frozenset(told.get("pinned", ()))})
