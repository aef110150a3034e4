"""How a ledger file is laid out: the one thing its writer, in a gateway, and its reader, in control, have in common.

A ledger is the memory of one gateway worker's counts, shared with whoever maps the file. It outlives the worker however
that ends, since the pages are the kernel's. It holds native 64-bit cells in blocks of `BLOCK_CELLS`:

    block   tag  ·  seven cells unused  ·  64 cells
    tag     0: free, else the series' number (never given out twice in a file) and the part of it that the block holds
    part    SERIES: the counters below, then the series' key as JSON text, filled up with zeros
            MODEL + r, OVERHEAD + r: row r of the histogram of that latency, see `core.latency`

Block 0 is the header. Counters only ever grow, so that whoever has read a cell before knows by the difference what is
new, whatever was lost or read twice in between. A block's tag is written after its content and taken away before it, so
that what is read between two equal looks at the tag is the tag's.

A worker that nobody reads for a while appends pages to a file beside it: the blocks that have changed since its last
page, under the time. So counts keep their second.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from moorage.core.latency import ROWS
from moorage.core.traffic import Outcome, SeriesKey

BLOCK_CELLS: Final = 72
BLOCK_BYTES: Final = BLOCK_CELLS * 8
FIRST_CELL: Final = 8
"""Where a block's 64 cells begin."""

# The cells of the header, counted from FIRST_CELL.
MAGIC: Final = int.from_bytes(b"ledger\x00\x01", "little")
MAGIC_CELL: Final = 0
TAKEN_CELL: Final = 1
"""When the reader last began to read what it then made durable: CLOCK_MONOTONIC in ns, written by the reader alone."""
LAYOUT_CELL: Final = 2
"""How often a tag has been written: unchanged means that blocks are where they were."""

# Parts of a series.
SERIES: Final = 0
MODEL: Final = 1
OVERHEAD: Final = 65
PARTS: Final = 256

# The counters of part SERIES, counted from FIRST_CELL. The outcomes come first.
BEGUN: Final = 8
SHARES: Final = 9
MODEL_SUM: Final = 10
OVERHEAD_SUM: Final = 11
BYTES_IN: Final = 12
BYTES_OUT: Final = 13
TAKEN_BACK: Final = 14
KEY: Final = 16
KEY_BYTES_MAX: Final = (64 - KEY) * 8

LEDGER_SUFFIX: Final = ".ledger"
PAGES_SUFFIX: Final = ".pages"
PAGE_HEAD: Final = struct.Struct("=QQ")
"""Of a page: the bytes of its blocks, and its time in ms since 1970."""

assert len(Outcome) <= BEGUN
assert MODEL + ROWS <= OVERHEAD
assert OVERHEAD + ROWS <= PARTS


def tag_of(number: int, part: int) -> int:
    """The tag of one part of series `number`, which is at least 1."""
    return number * PARTS + part


def encode_key(key: SeriesKey) -> bytes:
    """The key as it stands in a block. Raises ValueError if it does not fit, which no valid names reach."""
    text = msgspec.json.encode(key)
    if len(text) > KEY_BYTES_MAX:
        raise ValueError(f"{key} is too long for a ledger")
    return text.ljust(KEY_BYTES_MAX, b"\0")


def decode_key(text: bytes) -> SeriesKey:
    """The inverse of `encode_key`."""
    return msgspec.json.decode(text.rstrip(b"\0"), type=SeriesKey)
