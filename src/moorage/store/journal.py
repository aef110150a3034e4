"""The journal in SQL: entries are found by subject or by time, newest or oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, tuple_, update

from moorage.store.base import JournalEntry
from moorage.store.codec import decode_body, encode_body
from moorage.store.paging import from_micros, to_micros
from moorage.store.tables import JOURNAL, JOURNAL_COUNTS


@dataclass(frozen=True, slots=True)
class SqlJournal:
    """The journal, seen from within a transaction."""

    connection: Connection

    def add(self, entry: JournalEntry) -> JournalEntry:
        statement = insert(JOURNAL).values(
            kind=entry.kind,
            region=entry.region,
            subject=entry.subject,
            at_us=to_micros(entry.at),
            body=encode_body(entry.body),
        )
        self._count(entry)
        return replace(entry, id=self.connection.execute(statement.returning(JOURNAL.c.id)).scalar_one())

    def amend(self, id_: int, body: dict[str, Any]) -> None:
        statement = update(JOURNAL).where(JOURNAL.c.id == id_).values(body=encode_body(body))
        if self.connection.execute(statement).rowcount == 0:
            raise KeyError(id_)

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
        entry = JOURNAL.c
        conditions: list[ColumnElement[bool]] = [entry.kind == kind, entry.region == region]
        if subject is not None:
            conditions.append(entry.subject == subject)
        if since is not None:
            conditions.append(entry.at_us >= to_micros(since))
        if until is not None:
            conditions.append(entry.at_us < to_micros(until))
        if after is not None:
            place, last = tuple_(entry.at_us, entry.id), (to_micros(after.at), after.id)
            conditions.append(place < last if newest_first else place > last)
        order = (entry.at_us.desc(), entry.id.desc()) if newest_first else (entry.at_us, entry.id)
        rows = self.connection.execute(select(JOURNAL).where(*conditions).order_by(*order).limit(limit))
        return [_from_row(row) for row in rows]

    def counts(self, kind: str) -> Mapping[tuple[str, str], int]:
        rows = self.connection.execute(select(JOURNAL_COUNTS).where(JOURNAL_COUNTS.c.kind == kind))
        return {(row.region, row.subject): row.entries for row in rows}

    def expire(self, kind: str, *, before: datetime) -> None:
        entry = JOURNAL.c
        self.connection.execute(delete(JOURNAL).where(entry.kind == kind, entry.at_us < to_micros(before)))

    def _count(self, entry: JournalEntry) -> None:
        count = JOURNAL_COUNTS.c
        same = and_(count.kind == entry.kind, count.region == entry.region, count.subject == entry.subject)
        one_more = update(JOURNAL_COUNTS).where(same).values(entries=count.entries + 1)
        if self.connection.execute(one_more).rowcount == 0:
            first = {"kind": entry.kind, "region": entry.region, "subject": entry.subject, "entries": 1}
            self.connection.execute(insert(JOURNAL_COUNTS).values(first))


def _from_row(row: Row[Any]) -> JournalEntry:
    return JournalEntry(row.kind, row.region, row.subject, from_micros(row.at_us), decode_body(row.body), row.id)
