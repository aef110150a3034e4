"""Pages of a ledger that nobody reads: what had changed when, so that counts keep their second while control is away.

Counts are never at stake here, they are in the cells. A page is lost on a full disk or once there are too many, and
pages come more seldom the more there are: their total is bounded however long nobody reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from moorage.telemetry.ledger_format import PAGE_HEAD

BYTES_MAX: Final = 64 << 20
BYTES_PER_PACE: Final = 8 << 20
"""After so many bytes pages come half as often: at 100 busy series after about a minute, at one after an hour."""
SERIES_PER_STEP: Final = 256
"""How many are looked at without a pause, in which requests are served: about a tenth of a millisecond's work."""
_SECOND_NS: Final = 1_000_000_000


class LedgerPages:
    """The pages file at `path`, there only while nobody reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._first_bytes = 0
        """Of the first page, which has every series whatever it counted before."""
        self._last_ns = 0
        self._next_ns = 0
        self._written: dict[int, list[bytes]] = {}
        """By series, its blocks as they stand in the pages."""

    def keep(self, held: Mapping[int, Sequence[memoryview]], *, monotonic_ns: int, at_ms: int) -> Iterator[None]:
        """Write down in steps what has changed since the last page, if one is due. `held` are all blocks by series."""
        if monotonic_ns < self._next_ns or self._bytes > BYTES_MAX:
            return
        series = iter(list(held.items()))
        while batch := list(islice(series, SERIES_PER_STEP)):
            page = b"".join(self._changes(batch))
            if page:
                self._append(PAGE_HEAD.pack(len(page), at_ms) + page)
            yield
        self._first_bytes = self._first_bytes or self._bytes
        pace = (self._bytes - self._first_bytes) // BYTES_PER_PACE
        self._last_ns = monotonic_ns
        self._next_ns = monotonic_ns + (_SECOND_NS << pace) - _SECOND_NS // 2  # ticks are not on time to the ns

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._last_ns

    def drop(self, *, read_ns: int) -> None:
        """The cells have been read at `read_ns`: if that was after the last page, the pages are of no more use."""
        if self._last_ns and read_ns > self._last_ns:
            self._path.unlink(missing_ok=True)
            self._bytes = self._first_bytes = self._last_ns = self._next_ns = 0
            self._written.clear()

    def _changes(self, series: Iterable[tuple[int, Sequence[memoryview]]]) -> Iterator[bytes]:
        for number, blocks in series:
            written = self._written.setdefault(number, [])
            counters = blocks[0].tobytes()
            if written and written[0] == counters:
                continue  # whatever else changes of a series, its counters change
            written.extend([b""] * (len(blocks) - len(written)))
            for place, block in enumerate(blocks):
                content = block.tobytes()
                if content != written[place]:
                    written[place] = content
                    yield content

    def _append(self, page: bytes) -> None:
        with suppress(OSError), open(self._path, "ab", buffering=0, opener=_private) as file:
            if file.write(page) < len(page):  # the disk is full: half a page would hide those after it
                file.truncate(self._bytes)
                return
            self._bytes += len(page)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
