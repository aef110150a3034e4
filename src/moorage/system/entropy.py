"""Randomness and identifiers: the one place that draws them, so that tests can put a seed in its place."""

from __future__ import annotations

import random
import secrets
from typing import Final

_UUID_MASK: Final = ~(0xF000C000 << 48) & (1 << 128) - 1
_UUID_VERSION: Final = 0x40008000 << 48


def new_uid() -> str:
    """Sixteen hexadecimal digits that tell apart namesakes which lived one after another."""
    return secrets.token_hex(8)


def new_request_id() -> str:
    """An AWS-style request id: a random UUID. Written out here, since `uuid` takes three times as long for it."""
    digits = f"{random.getrandbits(128) & _UUID_MASK | _UUID_VERSION:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_secret(length_bytes: int) -> bytes:
    """Bytes fit for a key."""
    return secrets.token_bytes(length_bytes)


def unit() -> float:
    """A number in [0, 1)."""
    return random.random()


def random_below(bound: int) -> int:
    """A number from 0 up to, but not including, `bound`: uniform, and fit for passwords."""
    return secrets.randbelow(bound)
