"""The ledgers in a folder: finds them, reads them, tells their writers, and deletes those that are finished with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from moorage.control.settlement import Account, Look, Reading
from moorage.telemetry.ledger_format import LEDGER_SUFFIX
from moorage.telemetry.ledger_reader import LedgerReader, NotALedger

_log = logging.getLogger(__name__)


class Ledgers:
    """Every ledger of the gateway workers that were, and are, on this machine. Blocks; not for two threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[str, LedgerReader] = {}
        self._unreadable: set[str] = set()

    def look(self, accounts: Mapping[str, Account]) -> Look:
        """Read from every ledger what differs from its account."""
        names = self._find()
        nothing = Account()
        found = [self._read(reader, accounts.get(name, nothing)) for name, reader in sorted(self._readers.items())]
        return Look(tuple(reading for reading in found if reading is not None), names)

    def acknowledge(self, readings: Sequence[Reading], taken_ns: int) -> None:
        """What was read from `taken_ns` (CLOCK_MONOTONIC) on is durable: the workers are told, the finished deleted."""
        for reading in readings:
            reader = self._readers[reading.ledger]
            if not reading.is_finished:
                reader.stamp(taken_ns)
                continue
            reader.remove()
            reader.close()
            del self._readers[reading.ledger]

    def close(self) -> None:
        """Let go of the files."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _find(self) -> frozenset[str]:
        there = {path.name.removesuffix(LEDGER_SUFFIX): path for path in self._folder.glob("*" + LEDGER_SUFFIX)}
        for name, path in there.items():
            if name not in self._readers and name not in self._unreadable:
                try:
                    self._readers[name] = LedgerReader(path)
                except OSError as error:
                    self._skip(name, error)
        return frozenset(there) | frozenset(self._readers)

    def _read(self, reader: LedgerReader, account: Account) -> Reading | None:
        is_finished = reader.is_finished()  # first: only then is what is read after it the whole
        try:
            pages = tuple(reader.pages())
            images = reader.changes(account.images)
        except (NotALedger, OSError) as error:
            self._skip(reader.name, error)
            del self._readers[reader.name]
            reader.close()
            return None
        return Reading(reader.name, pages, images, reader.numbers(), is_finished)

    def _skip(self, name: str, error: Exception) -> None:
        self._unreadable.add(name)
        _log.warning("a ledger is left unread: %s", error)
