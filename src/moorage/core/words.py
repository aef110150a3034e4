"""Numbers in sentences and tables."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB")


def counted(number: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sized(size_bytes: int) -> str:
    """A size for people: `512 bytes`, `33.4 KiB`, `1.5 GiB`."""
    power = min((size_bytes.bit_length() - 1) // 10, len(_UNITS) - 1)
    if power <= 0:
        return counted(size_bytes, "byte")
    return f"{size_bytes / (1 << 10 * power):,.1f} {_UNITS[power]}"
