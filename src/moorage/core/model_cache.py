"""How much a container of many models keeps, as its environment says. SageMaker decides this by itself.

    MOORAGE_MODEL_CACHE_BYTES     how much memory the loaded models may take together
    MOORAGE_MODEL_CACHE_MODELS    how many may be loaded
    MOORAGE_MODEL_DISK_BYTES      how much of the disk the unpacked ones may take
    MOORAGE_PINNED_MODELS         names, with commas between, of models that are never unloaded to make room

Unless it says, an instance takes four fifths of the memory its type has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moorage.core.instance_types import memory_bytes

NUMBERS: Final = ("MOORAGE_MODEL_CACHE_BYTES", "MOORAGE_MODEL_CACHE_MODELS", "MOORAGE_MODEL_DISK_BYTES")
PINNED: Final = "MOORAGE_PINNED_MODELS"
RULE: Final = "a whole number from 1 to 1000000000000000"

_NUMBER: Final = re.compile("[1-9][0-9]{0,14}|10{15}")
_MODELS_MAX: Final = 1_000_000
_DISK_BYTES: Final = 16 << 30


@dataclass(frozen=True, slots=True)
class ModelCache:
    """What one instance may keep."""

    bytes_max: int
    count_max: int = _MODELS_MAX
    disk_bytes_max: int = _DISK_BYTES
    pinned: tuple[str, ...] = ()


def violation(environment: Mapping[str, str]) -> str | None:
    """The first variable that does not obey `RULE`."""
    return next((name for name in NUMBERS if name in environment and not _NUMBER.fullmatch(environment[name])), None)


def read_model_cache(environment: Mapping[str, str], instance_type: str, *, machine_bytes: int) -> ModelCache:
    """What the variables say, and the instance's type, on a machine of so much memory.

    >>> read_model_cache({}, "ml.m5.large", machine_bytes=64 << 30).bytes_max == (8 << 30) * 4 // 5
    True
    """
    cache_bytes, cache_models, disk_bytes = (_number(environment, name) for name in NUMBERS)
    names = (name.strip() for name in environment.get(PINNED, "").split(","))
    return ModelCache(
        bytes_max=cache_bytes or min(memory_bytes(instance_type), machine_bytes) * 4 // 5,
        count_max=cache_models or _MODELS_MAX,
        disk_bytes_max=disk_bytes or _DISK_BYTES,
        pinned=tuple(name for name in names if name),
    )


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else None
