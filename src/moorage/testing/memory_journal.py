"""The journal of a store in memory."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from moorage.store.base import JournalEntry


class MemoryJournal:
    """Entries by id."""

    def __init__(
        self,
        rows: dict[int, JournalEntry] | None = None,
        last_id: int = 0,
        counts: Mapping[tuple[str, str, str], int] | None = None,
    ) -> None:
        self._rows = dict(rows or {})
        self._last_id = last_id
        self._counts = Counter(counts or {})

    def fork(self) -> MemoryJournal:
        return MemoryJournal(self._rows, self._last_id, self._counts)

    def add(self, entry: JournalEntry) -> JournalEntry:
        self._last_id += 1
        self._counts[entry.kind, entry.region, entry.subject] += 1
        self._rows[self._last_id] = copy.deepcopy(replace(entry, id=self._last_id))
        return replace(entry, id=self._last_id)

    def amend(self, id_: int, body: dict[str, Any]) -> None:
        self._rows[id_] = replace(self._rows[id_], body=copy.deepcopy(body))

    def list(
        self,
        kind: str,
        region: str,
        *,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
        newest_first: bool = True,
        after: JournalEntry | None = None,
    ) -> Sequence[JournalEntry]:
        found = [
            row
            for row in sorted(self._rows.values(), key=_place, reverse=newest_first)
            if (row.kind, row.region) == (kind, region)
            and (subject is None or row.subject == subject)
            and (since is None or row.at >= since)
            and (until is None or row.at < until)
            and (after is None or (_place(row) < _place(after) if newest_first else _place(row) > _place(after)))
        ]
        return copy.deepcopy(found[:limit])

    def counts(self, kind: str) -> Mapping[tuple[str, str], int]:
        return {(region, subject): count for (of, region, subject), count in self._counts.items() if of == kind}

    def expire(self, kind: str, *, before: datetime) -> None:
        self._rows = {id_: row for id_, row in self._rows.items() if row.kind != kind or row.at >= before}


def _place(entry: JournalEntry) -> tuple[datetime, int]:
    return entry.at, entry.id
