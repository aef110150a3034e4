"""Reading a worker's ledger from another process, while it is written to or after the worker's end."""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moorage.telemetry.ledger_format import (
    BLOCK_BYTES,
    BLOCK_CELLS,
    FIRST_CELL,
    LAYOUT_CELL,
    LEDGER_SUFFIX,
    MAGIC,
    MAGIC_CELL,
    PAGE_HEAD,
    PAGES_SUFFIX,
    PARTS,
    SERIES,
    TAKEN_CELL,
)

Image = Mapping[int, bytes]
"""A series as it was read: by part, the bytes of its 64 cells."""

_FIRST_BYTE: Final = FIRST_CELL * 8
_LOOKS_MAX: Final = 8


class NotALedger(Exception):
    """The file is not a ledger that this version of Moorage can read."""


@dataclass(frozen=True, slots=True)
class Page:
    """What had changed by some moment: the parts that had, by series."""

    at_ms: int
    images: Mapping[int, Image]


class LedgerReader:
    """One ledger file. Raises NotALedger, OSError."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(LEDGER_SUFFIX)
        self._path = path
        self._pages_path = path.with_name(self.name + PAGES_SUFFIX)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._map: mmap.mmap | None = None
        self._layout: tuple[int, int] = (0, 0)
        self._index: Mapping[int, list[tuple[int, int]]] = {}
        """By series, its parts and where their blocks begin. Part SERIES comes first."""

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()
        os.close(self._descriptor)

    def is_finished(self) -> bool:
        """Whether the worker is gone: what is read after this has been true is all there will ever be."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return True

    def pages(self) -> list[Page]:
        """The pages kept since the ledger was last taken, oldest first; some may be older than that."""
        try:
            content = memoryview(self._pages_path.read_bytes())
        except FileNotFoundError:
            return []
        return list(_pages_of(content))

    def changes(self, taken: Mapping[int, Image]) -> dict[int, Image]:
        """All series whose counters are not those of `taken`, by number, with all their parts."""
        for _ in range(_LOOKS_MAX):
            layout = self._look_at_the_layout()
            found = self._look_for_changes(taken)
            if layout == self._header_cell(LAYOUT_CELL):  # else a part may have been overlooked that was just opened
                break
        return found

    def _look_for_changes(self, taken: Mapping[int, Image]) -> dict[int, Image]:
        found = {}
        for number, places in self._index.items():
            image = taken.get(number)
            if image is None or image[SERIES] != self._cells(places[0][1]):
                found[number] = self._image(number, places)
        return {number: image for number, image in found.items() if SERIES in image}

    def numbers(self) -> frozenset[int]:
        """The series that were there at the last look: one that was there before and is no more never comes back."""
        return frozenset(self._index)

    def stamp(self, taken_ns: int) -> None:
        """Tell the worker that what was read from `taken_ns` (CLOCK_MONOTONIC) on is durable."""
        os.pwrite(self._descriptor, taken_ns.to_bytes(8, sys.byteorder), _FIRST_BYTE + TAKEN_CELL * 8)

    def remove(self) -> None:
        """Delete the files. They must have been taken to their end."""
        for path in (self._pages_path, self._path):
            with suppress(FileNotFoundError):
                path.unlink()

    def _look_at_the_layout(self) -> int:
        size = os.fstat(self._descriptor).st_size // BLOCK_BYTES * BLOCK_BYTES
        if size and (self._map is None or len(self._map) != size):
            self._remap(size)
        if not self._header_cell(MAGIC_CELL):
            return 0  # its writer found no room for the beginning yet
        layout = (size, self._header_cell(LAYOUT_CELL))
        if layout != self._layout:
            self._index = self._read_index()
            self._layout = layout
        return layout[1]

    def _remap(self, size: int) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None
        self._map = mmap.mmap(self._descriptor, size, prot=mmap.PROT_READ)
        if self._header_cell(MAGIC_CELL) not in (0, MAGIC):
            raise NotALedger(f"{self._path} is not a ledger of this version")

    def _read_index(self) -> Mapping[int, list[tuple[int, int]]]:
        index: dict[int, list[tuple[int, int]]] = defaultdict(list)
        assert self._map is not None
        with memoryview(self._map) as content, content.cast("Q") as cells:
            tags = cells[::BLOCK_CELLS].tolist()
        for block, tag in enumerate(tags):
            if tag:
                index[tag // PARTS].append((tag % PARTS, block * BLOCK_BYTES))
        for places in index.values():
            places.sort()
        return {number: places for number, places in index.items() if places[0][0] == SERIES}

    def _image(self, number: int, places: list[tuple[int, int]]) -> Image:
        """The parts that are the series' own before and after they are copied, SERIES first.

        The outcome is the last that is written of an invocation: read first, it never speaks of what is read too early.
        """
        image = {}
        for part, start in places:
            tag = number * PARTS + part
            if self._tag(start) == tag:
                cells = self._cells(start)
                if self._tag(start) == tag:
                    image[part] = cells
        return image

    def _cells(self, start: int) -> bytes:
        assert self._map is not None
        return self._map[start + _FIRST_BYTE : start + BLOCK_BYTES]

    def _tag(self, start: int) -> int:
        if self._map is None:
            return 0
        return int.from_bytes(self._map[start : start + 8], sys.byteorder)

    def _header_cell(self, cell: int) -> int:
        return self._tag(_FIRST_BYTE + cell * 8)


def _pages_of(content: memoryview) -> Iterator[Page]:
    """The pages that are there whole: the last one may still be being written, or its writer was killed."""
    at = 0
    while at + PAGE_HEAD.size <= len(content):
        length, at_ms = PAGE_HEAD.unpack_from(content, at)
        at += PAGE_HEAD.size
        if at + length > len(content):
            return
        yield Page(at_ms, _images_of(content[at : at + length]))
        at += length


def _images_of(blocks: memoryview) -> Mapping[int, Image]:
    images: dict[int, dict[int, bytes]] = defaultdict(dict)
    for start in range(0, len(blocks) - BLOCK_BYTES + 1, BLOCK_BYTES):
        tag = int.from_bytes(blocks[start : start + 8], sys.byteorder)
        images[tag // PARTS][tag % PARTS] = bytes(blocks[start + _FIRST_BYTE : start + BLOCK_BYTES])
    return images
