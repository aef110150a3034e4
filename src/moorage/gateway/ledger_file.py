"""The file of a worker's ledger: where its blocks lie, and how it grows, recycles and keeps what nobody reads.

The file lies in memory (see `app.settings`), and its pages are taken from the machine before they are used: a mapped
page that turns out to be missing only when it is written to ends the process. Where there is no room left, counting
goes on in memory of our own, which is copied into the file once a second as soon as there is: a full disk costs an
invocation nothing, and at most a second's counts if the worker is killed just then.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from moorage.gateway.ledger_pages import LedgerPages
from moorage.telemetry.ledger_format import (
    BLOCK_BYTES,
    BLOCK_CELLS,
    FIRST_CELL,
    LAYOUT_CELL,
    LEDGER_SUFFIX,
    MAGIC,
    MAGIC_CELL,
    PAGES_SUFFIX,
    TAKEN_CELL,
    tag_of,
)

Block = memoryview
"""Cells: all of a block, or the 64 that count."""

SEGMENT_BLOCKS: Final = 448
"""What a file grows by: the blocks of 63 pages, about what fifty series in use take."""
AWAY_NS: Final = 1_500_000_000
"""Unread for longer than this, a ledger keeps pages."""
_SEGMENT_BYTES: Final = SEGMENT_BLOCKS * BLOCK_BYTES
_ZEROS: Final = memoryview(bytes(BLOCK_BYTES)).cast("Q")

_log = logging.getLogger(__name__)


class LedgerFile:
    """The ledger file `name` in `folder`, which outlives this process and is locked until it ends, or `close`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._free: list[Block] = []
        self._held: dict[int, list[Block]] = {}
        self._closing: list[int] = []
        self._closed: list[tuple[int, int]] = []
        """Numbers of series that nobody uses any more, and since when at the latest."""
        self._numbers = itertools.count(1)
        self._unwritten: list[tuple[int, mmap.mmap]] = []
        """Segments that the file had no room for, and their places in it."""
        self._size = 0
        self._started_ns: int | None = None
        self._pages = LedgerPages(folder / (name + PAGES_SUFFIX))
        self._descriptor = _create(folder / f"{name}.new")
        self._grow()
        self._header = self._free.pop()[FIRST_CELL:]
        self._header[MAGIC_CELL] = MAGIC
        _publish(folder / f"{name}.new", folder / (name + LEDGER_SUFFIX))

    def open_series(self, content: bytes, *, at: int) -> tuple[int, Block]:
        """A new series, with `content` from cell `at` on; answers its number and its cells."""
        number = next(self._numbers)
        self._held[number] = []
        return number, self._take(number, 0, content=memoryview(content).cast("Q"), at=at)

    def open_part(self, number: int, part: int) -> Block:
        """The cells of another part of a series."""
        return self._take(number, part, content=_ZEROS[:0], at=0)

    def close_series(self, number: int) -> None:
        """Nobody uses the series any more: its blocks are free as soon as the reader has its last counts."""
        self._closing.append(number)

    def tick(self, *, monotonic_ns: int, at_ms: int) -> Iterator[None]:
        """Copy what has no room, recycle what was read, and keep a page if nobody reads. Once a second, in steps."""
        if self._started_ns is None:
            self._started_ns = monotonic_ns
        taken_ns = self._taken_ns()
        self._write_the_unwritten(taken_ns)
        self._pages.drop(read_ns=taken_ns)
        if self._pages.is_empty:  # a page that still speaks of a series the reader has forgotten would count it again
            self._recycle(taken_ns)
        self._closed.extend((number, monotonic_ns) for number in self._closing)
        self._closing.clear()
        if monotonic_ns - max(taken_ns, self._started_ns) > AWAY_NS:
            yield from self._pages.keep(self._held, monotonic_ns=monotonic_ns, at_ms=at_ms)

    def close(self) -> None:
        """Nothing more is counted: what is there can be taken to its end."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # to close it is not enough: mapped segments keep the file open
        os.close(self._descriptor)

    def _take(self, number: int, part: int, *, content: Block, at: int) -> Block:
        if not self._free:
            self._grow()
        block = self._free.pop()
        cells = block[FIRST_CELL:]
        cells[at : at + len(content)] = content
        self._tag(block, tag_of(number, part))
        self._held[number].append(block)
        return cells

    def _recycle(self, taken_ns: int) -> None:
        read = [number for number, closed_ns in self._closed if closed_ns < taken_ns]
        self._closed = [entry for entry in self._closed if entry[1] >= taken_ns]
        for number in read:
            for block in self._held.pop(number):
                self._tag(block, 0)
                block[:] = _ZEROS
                self._free.append(block)

    def _tag(self, block: Block, tag: int) -> None:
        block[0] = tag
        self._header[LAYOUT_CELL] += 1

    def _grow(self) -> None:
        segment = self._map_more()
        cells = memoryview(segment).cast("Q")
        self._free.extend(
            cells[start : start + BLOCK_CELLS] for start in range(len(cells) - BLOCK_CELLS, -1, -BLOCK_CELLS)
        )
        self._size += _SEGMENT_BYTES

    def _map_more(self) -> mmap.mmap:
        try:
            os.posix_fallocate(self._descriptor, self._size, _SEGMENT_BYTES)
            return mmap.mmap(self._descriptor, _SEGMENT_BYTES, offset=self._size)
        except OSError as error:
            _log.warning("the ledger has no room (%s): counting goes on in memory", error)
            segment = mmap.mmap(-1, _SEGMENT_BYTES)
            self._unwritten.append((self._size, segment))
            return segment

    def _taken_ns(self) -> int:
        stamp = os.pread(self._descriptor, 8, (FIRST_CELL + TAKEN_CELL) * 8)
        return int.from_bytes(stamp, sys.byteorder)

    def _write_the_unwritten(self, taken_ns: int) -> None:
        if self._unwritten:
            self._header[TAKEN_CELL] = taken_ns  # the reader's alone: not to be written over
        for place, segment in self._unwritten:
            with suppress(OSError):
                os.pwrite(self._descriptor, segment, place)


def _create(path: Path) -> int:
    """A file locked for life; where none can be made, one that nobody finds, so that we serve all the same."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        _log.warning("traffic is not counted: %s", error)
        return os.memfd_create("ledger")
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _publish(path: Path, name: Path) -> None:
    """Only now, locked and with a header, is it a ledger: one without a lock is taken for a dead worker's."""
    with suppress(FileNotFoundError):
        path.rename(name)
