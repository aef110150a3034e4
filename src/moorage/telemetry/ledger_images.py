"""What a further reading of a series says: the counts it adds, and what is known after it. Pure.

Counters only grow, so the greater of two readings of a cell is the later one. To read a series again, or an older page
of it after a newer one, therefore adds nothing: what is known does not depend on the order, nor on how often.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from itertools import compress
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
_OUTCOMES: Final = range(len(Outcome))
_NOTHING: Final = bytes(_CELLS.size)
_IMAGES: Final = msgspec.msgpack.Decoder(dict[int, bytes])

_Growth = list[tuple[int, int]]
"""Cells that have grown, and by how much."""


def key_of(image: Image) -> SeriesKey:
    """Whose counts they are."""
    return decode_key(image[SERIES][KEY * 8 :])


def advance(known: Image, found: Image) -> tuple[Image, Tally]:
    """What is known after a further reading, and what it adds: `known` itself if that is nothing."""
    joined: dict[int, bytes] = {}
    growth: dict[int, _Growth] = {}
    for part, cells in found.items():
        before = known.get(part)
        if cells != before:
            joined[part], growth[part] = _advance_part(before or _NOTHING, cells)
    after = {**known, **joined}
    return (known if after == known else after), _tally(growth, in_flight=_in_flight(after))


def encode_image(image: Image) -> bytes:
    """An image, small: most cells are zero."""
    return zlib.compress(msgspec.msgpack.encode(image), 1)


def decode_image(data: bytes) -> Image:
    """The inverse of `encode_image`."""
    return _IMAGES.decode(zlib.decompress(data))


def _advance_part(before: bytes, cells: bytes) -> tuple[bytes, _Growth]:
    # Without a loop of Python's own, of which there would be a thousand every second.
    then, now = _CELLS.unpack(before), _CELLS.unpack(cells)
    change = tuple(map(sub, now, then))
    if min(change) < 0:
        now = tuple(map(max, now, then))
        cells, change = _CELLS.pack(*now), tuple(map(sub, now, then))
    return cells, list(compress(enumerate(change), change))


def _tally(growth: Mapping[int, _Growth], *, in_flight: int) -> Tally:
    counters = dict(growth.get(SERIES, ()))
    count = counters.get
    return Tally(
        outcomes=tuple(count(outcome, 0) for outcome in _OUTCOMES),
        per_instance_shares=count(SHARES, 0),
        model=Histogram(_counts(growth, MODEL), count(MODEL_SUM, 0)),
        overhead=Histogram(_counts(growth, OVERHEAD), count(OVERHEAD_SUM, 0)),
        bytes_in=count(BYTES_IN, 0),
        bytes_out=count(BYTES_OUT, 0),
        in_flight=in_flight,
    )


def _counts(growth: Mapping[int, _Growth], first_part: int) -> Mapping[int, int]:
    rows = range(first_part, first_part + ROWS)
    return {
        (part - first_part) * ROW + cell: count
        for part, grown in growth.items()
        if part in rows
        for cell, count in grown
    }


def _in_flight(image: Image) -> int:
    """Begun and not over. A series without an instance has requests that end and were never begun."""
    counters: tuple[int, ...] = _CELLS.unpack(image[SERIES])
    over = sum(counters[: len(Outcome)]) - counters[Outcome.REFUSED]
    return max(0, counters[BEGUN] - counters[TAKEN_BACK] - over)
