"""Randomness and identifiers: the one place that draws them, so that tests can put a seed in its place."""

from __future__ import annotations

import itertools
import random
import secrets
import uuid
from typing import Final

_ID_PREFIX: Final = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))[:24]
_id_numbers: Final = itertools.count(secrets.randbits(47))


def new_uid() -> str:
    """Sixteen hexadecimal digits that tell apart namesakes which lived one after another."""
    return secrets.token_hex(8)


def new_request_id() -> str:
    """An AWS-style request id: a UUID of which this process drew the beginning and counts the end, 0.2 µs each."""
    return f"{_ID_PREFIX}{next(_id_numbers):012x}"


def new_uuid() -> str:
    """A UUID for something that is kept, which is all drawn."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def new_trace_id() -> int:
    """128 bits, not all 0."""
    return secrets.randbits(128) or 1


def new_span_id() -> int:
    """64 bits, not all 0."""
    return secrets.randbits(64) or 1


def new_secret(length_bytes: int) -> bytes:
    """Bytes fit for a key."""
    return secrets.token_bytes(length_bytes)


def unit() -> float:
    """A number in [0, 1)."""
    return random.random()


def random_below(bound: int) -> int:
    """A number from 0 up to, but not including, `bound`: uniform, and fit for passwords."""
    return secrets.randbelow(bound)
