"""The buckets of a distribution as bytes: each bucket's distance from the one before it, then its count."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import msgspec

_WHOLE_MAX: Final = 1 << 63
"""From here on a count stays a float, as every float is whole by then: msgpack's integers end."""
_DECODER: Final = msgspec.msgpack.Decoder(list[int | float])


def encode_buckets(buckets: Mapping[int, float]) -> bytes:
    """About two bytes a bucket."""
    numbers: list[int | float] = []
    for before, bucket in pairwise([0, *sorted(buckets)]):
        count = buckets[bucket]
        is_whole = count.is_integer() and count < _WHOLE_MAX
        numbers += (bucket - before, int(count) if is_whole else count)
    return msgspec.msgpack.encode(numbers)


def decode_buckets(data: bytes) -> dict[int, float]:
    """The inverse of `encode_buckets`."""
    numbers = _DECODER.decode(data)
    buckets: dict[int, float] = {}
    bucket = 0
    for distance, count in zip(numbers[::2], numbers[1::2], strict=True):
        bucket += int(distance)
        buckets[bucket] = float(count)
    return buckets
