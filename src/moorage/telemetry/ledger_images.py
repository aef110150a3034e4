"""What two readings of a series say: the counts in between, and what is known after both. Pure.

Counters only grow, so the greater of two readings of a cell is the later one. Reading a series again, or an older page
of it after a newer one, therefore adds nothing: `join` does not depend on the order, nor on how often.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from operator import sub
from typing import Final

import msgspec

from moorage.core.latency import ROW, ROWS, Histogram
from moorage.core.traffic import Outcome, SeriesKey, Tally
from moorage.telemetry.ledger_format import (
    BEGUN,
    BYTES_IN,
    BYTES_OUT,
    KEY,
    MODEL,
    MODEL_SUM,
    OVERHEAD,
    OVERHEAD_SUM,
    SERIES,
    SHARES,
    TAKEN_BACK,
    decode_key,
)
from moorage.telemetry.ledger_reader import Image

_CELLS: Final = struct.Struct("=64Q")
_NOTHING: Final = bytes(_CELLS.size)
_OUTCOMES: Final = len(Outcome)
_IMAGES: Final = msgspec.msgpack.Decoder(dict[int, bytes])


def key_of(image: Image) -> SeriesKey:
    """Whose counts they are."""
    return decode_key(image[SERIES][KEY * 8 :])


def join(one: Image, other: Image) -> Image:
    """What is known after both readings."""
    joined = dict(one)
    for part, cells in other.items():
        known = one.get(part)
        joined[part] = cells if known is None else _greater(known, cells)
    return joined


def between(before: Image, after: Image) -> Tally:
    """What was counted between a reading and a later one, and what is in flight at the later one."""
    counters = _growth(before, after, SERIES)
    return Tally(
        outcomes=counters[:_OUTCOMES],
        per_instance_shares=counters[SHARES],
        model=Histogram(_counts(before, after, MODEL), counters[MODEL_SUM]),
        overhead=Histogram(_counts(before, after, OVERHEAD), counters[OVERHEAD_SUM]),
        bytes_in=counters[BYTES_IN],
        bytes_out=counters[BYTES_OUT],
        in_flight=_in_flight(_CELLS.unpack(after[SERIES])),
    )


def encode_image(image: Image) -> bytes:
    """An image, small: most cells are zero."""
    return zlib.compress(msgspec.msgpack.encode(image), 1)


def decode_image(data: bytes) -> Image:
    """The inverse of `encode_image`."""
    return _IMAGES.decode(zlib.decompress(data))


def _greater(one: bytes, other: bytes) -> bytes:
    if one == other:
        return one
    return _CELLS.pack(*map(max, _CELLS.unpack(one), _CELLS.unpack(other)))


def _growth(before: Image, after: Image, part: int) -> tuple[int, ...]:
    return tuple(map(sub, _CELLS.unpack(after[part]), _CELLS.unpack(before.get(part, _NOTHING))))


def _counts(before: Image, after: Image, first_part: int) -> Mapping[int, int]:
    counts: dict[int, int] = {}
    for part in after:
        row = part - first_part
        if 0 <= row < ROWS and after[part] != before.get(part):
            grown = enumerate(_growth(before, after, part), row * ROW)
            counts.update((bucket, count) for bucket, count in grown if count)
    return counts


def _in_flight(counters: tuple[int, ...]) -> int:
    """Begun and not over. A series without an instance has requests that end and were never begun."""
    over = sum(counters[:_OUTCOMES]) - counters[Outcome.REFUSED]
    return max(0, counters[BEGUN] - counters[TAKEN_BACK] - over)
