"""What a gateway worker counts: cells in memory that is shared through a file, so that no count dies with the worker.

`Series.record` is on the path of every invocation. It touches nothing but cells: who reads them, when and whether at
all is not its business. See `ledger_file` for the file and `telemetry/ledger_format` for what lies where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Final
from weakref import WeakValueDictionary, finalize

from moorage.core.latency import BITS_MAX
from moorage.core.traffic import SHARE, Outcome, SeriesKey
from moorage.gateway.ledger_file import Block, LedgerFile
from moorage.system.clock import Clock
from moorage.telemetry.ledger_format import (
    BEGUN,
    BYTES_IN,
    BYTES_OUT,
    KEY,
    MODEL,
    MODEL_SUM,
    OVERHEAD,
    OVERHEAD_SUM,
    SHARES,
    TAKEN_BACK,
    encode_key,
)

# By the number of a value's binary digits: by how much it is shifted to give its place in its histogram's row.
_SHIFTS: Final = tuple(max(0, bits - 7) for bits in range(BITS_MAX + 1))
_NO_ROWS: Final[tuple[Block | None, ...]] = (None,) * (BITS_MAX + 1)


class Series:
    """The counters of one series. Hold on to it for as long as it may be used; with the last reference it is closed.

    Latencies are whole µs, at least 0 and less than twelve days. Of each invocation exactly one of `record` and `count`
    is called, on the series that it ends on.
    """

    __slots__ = ("__weakref__", "_cells", "_model", "_open", "_overhead", "share")

    def __init__(self, cells: Block, open_part: Callable[[int], Block]) -> None:
        self.share = SHARE
        """What an invocation adds to InvocationsPerInstance, in units of 1/SHARE."""
        self._cells = cells
        self._open = open_part
        self._model = list(_NO_ROWS)
        self._overhead = list(_NO_ROWS)

    def begin(self) -> None:
        """A request is put on the instance: it is in flight until `record` or `count`, or until it is taken back."""
        self._cells[BEGUN] += 1

    def take_back(self) -> None:
        """The request that was begun is on the instance no more, and no model's answer to it will be recorded."""
        self._cells[TAKEN_BACK] += 1

    def record(self, outcome: Outcome, model_us: int, overhead_us: int, bytes_in: int, bytes_out: int) -> None:
        """An invocation is over, and an instance had been asked."""
        # All positional, no loop and no helper: 0.6 µs, twice that otherwise. The outcome comes last: it is what tells
        # the reader to look, and what counts the invocation should the worker be killed in between.
        cells = self._cells
        cells[SHARES] += self.share
        cells[MODEL_SUM] += model_us
        cells[OVERHEAD_SUM] += overhead_us
        cells[BYTES_IN] += bytes_in
        cells[BYTES_OUT] += bytes_out
        bits = model_us.bit_length()
        row = self._model[bits]
        if row is None:
            row = self._open_row(self._model, MODEL, bits)
        row[model_us >> _SHIFTS[bits] & 63] += 1
        bits = overhead_us.bit_length()
        row = self._overhead[bits]
        if row is None:
            row = self._open_row(self._overhead, OVERHEAD, bits)
        row[overhead_us >> _SHIFTS[bits] & 63] += 1
        cells[outcome] += 1

    def count(self, outcome: Outcome, bytes_in: int) -> None:
        """An invocation is over without an answer of a model's to measure: REFUSED or ABANDONED."""
        cells = self._cells
        cells[SHARES] += self.share
        cells[BYTES_IN] += bytes_in
        cells[outcome] += 1

    def _open_row(self, rows: list[Block | None], first_part: int, bits: int) -> Block:
        row = self._open(first_part + max(0, bits - 6))
        for same in range(7) if bits < 7 else (bits,):  # the values of up to six digits share a row
            rows[same] = row
        return row


class Ledger:
    """All series of a worker, found by key, and closed when nobody holds them any more."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        self._series: WeakValueDictionary[SeriesKey, Series] = WeakValueDictionary()

    def series(self, key: SeriesKey, *, instances: int) -> Series:
        """The series of `key`, of a variant that now has that many instances in the routes."""
        series = self._series.get(key)
        if series is None:
            series = self._open(key)
            self._series[key] = series
        series.share = round(SHARE / max(1, instances))
        return series

    def tick(self, *, monotonic_ns: int, at_ms: int) -> Iterator[None]:
        """Look after the file; once a second, in steps between which requests can be served."""
        return self._file.tick(monotonic_ns=monotonic_ns, at_ms=at_ms)

    def close(self) -> None:
        """Nothing more is counted: to be called when the last invocation is over."""
        self._file.close()

    def _open(self, key: SeriesKey) -> Series:
        number, cells = self._file.open_series(encode_key(key), at=KEY)
        series = Series(cells, partial(self._file.open_part, number))
        finalize(series, self._file.close_series, number).atexit = False
        return series


async def keep_ledger(ledger: Ledger, clock: Clock) -> None:
    """Look after a ledger until cancelled, once a second, close to where a second ends."""
    while True:
        await clock.sleep(1.0 - clock.now().microsecond / 1e6)
        for _ in ledger.tick(monotonic_ns=int(clock.monotonic() * 1e9), at_ms=_milliseconds(clock.now())):
            await clock.sleep(0)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
