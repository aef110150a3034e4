"""Where a row stands in a list: the pure part of paging, shared by every store.

A page goes on behind a *position*, not at an offset, so rows deleted or added between two pages neither repeat nor
skip the others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from moorage.store.base import ListQuery

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Position(NamedTuple):
    """A place in a list's order: the value sorted by (microseconds for times), then the name without its case."""

    value: int | str
    name: str

    @classmethod
    def of(cls, query: ListQuery, *, name: str, created_at: datetime, status: str) -> Position:
        """The position of a row in the order that `query` asks for."""
        match query.sort_by:
            case "Name":
                return cls(name.lower(), name.lower())
            case "CreationTime":
                return cls(to_micros(created_at), name.lower())
            case "Status":
                return cls(status, name.lower())

    def cursor(self) -> tuple[str, str]:
        """As `ListQuery.after` and `Page.next_after` carry it."""
        return str(self.value), self.name


def position_after(query: ListQuery) -> Position | None:
    """The position that the page asked for goes on behind, None for the first page. ValueError if it is garbage."""
    if query.after is None:
        return None
    value, name = query.after
    return Position(int(value) if query.sort_by == "CreationTime" else value, name)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970: exact, sortable, and the same type in every database."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The inverse of `to_micros`, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)
