"""Pages of keys, versions and uploads, with keys that share a stem up to a delimiter folded into one entry.

A page reads rows in order from a cursor and, when it meets a stem, goes on behind every key that has it: what is folded
is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, Table, and_, or_, select

from moorage.objects import bucket_rows
from moorage.objects.index import Transaction
from moorage.objects.records import ObjectVersion, Upload
from moorage.objects.schema import uploads, versions
from moorage.objects.upload_rows import to_upload
from moorage.objects.version_rows import find, to_version

R = TypeVar("R")
_LAST_CODE_POINT = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Selection:
    """What to list: the keys of `bucket` that begin with `prefix`, folded at `delimiter`, at most `limit` entries."""

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """A page: rows and stems together at most the limit, and whether more would follow."""

    rows: Sequence[R]
    stems: Sequence[str]
    is_truncated: bool
    last: R | str | None
    """The last entry of the page, a row or a stem: where the next page goes on."""


@dataclass(frozen=True, slots=True)
class _Source(Generic[R]):
    """One kind of row: its table, what narrows and orders it, and what becomes of it."""

    table: Table
    arrange: Callable[[Select[Any]], Select[Any]]
    convert: Callable[[Row[Any]], R]


def list_objects(transaction: Transaction, selection: Selection, *, after: str = "") -> Listing[ObjectVersion]:
    """Current versions that are not delete markers, behind the key `after`; a stem given as `after` is behind too.

    All lists raise Rejected(NO_SUCH_BUCKET).
    """
    bucket = bucket_rows.get(transaction, selection.bucket)
    source = _Source(versions, _current_rows, lambda row: to_version(row, bucket))
    return _page(transaction, source, selection, _Start(_behind(selection, after)))


def list_versions(
    transaction: Transaction, selection: Selection, *, after_key: str = "", after_version: str | None = None
) -> Listing[ObjectVersion]:
    """All versions by key, newest first, behind `after_version` of `after_key` (behind the whole key if None).

    If that version is gone, its key starts anew: those who delete page by page must not miss what is left of it.
    """
    bucket = bucket_rows.get(transaction, selection.bucket)
    source = _Source(versions, _version_rows, lambda row: to_version(row, bucket))
    if after_version is None:
        return _page(transaction, source, selection, _Start(_behind(selection, after_key)))
    marker = find(transaction, bucket, after_key, after_version)
    if marker is None:
        return _page(transaction, source, selection, _Start(_Cursor(after_key, inclusive=True)))
    rest = and_(versions.c.key == after_key, versions.c.seq < marker.seq)
    return _page(transaction, source, selection, _Start(_Cursor(after_key, inclusive=False), rest))


def list_uploads(
    transaction: Transaction, selection: Selection, *, after_key: str = "", after_upload: str | None = None
) -> Listing[Upload]:
    """Uploads in parts by key and id, behind `after_upload` of `after_key` (behind the whole key if None)."""
    bucket_rows.get(transaction, selection.bucket)
    source = _Source(uploads, _upload_rows, to_upload)
    if after_upload is None:
        return _page(transaction, source, selection, _Start(_behind(selection, after_key)))
    rest = and_(uploads.c.key == after_key, uploads.c.upload_id > after_upload)
    return _page(transaction, source, selection, _Start(_Cursor(after_key, inclusive=False), rest))


def successor(prefix: str) -> str | None:
    """The least string above every string that begins with `prefix`; None if there is none.

    >>> successor("a/")
    'a0'
    """
    stem = prefix.rstrip(_LAST_CODE_POINT)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:  # surrogates are no characters
        following = 0xE000
    return stem[:-1] + chr(following)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """A place between keys: `key` itself belongs to what follows if `inclusive`."""

    key: str
    inclusive: bool


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page begins: behind a cursor, and before it the rows that `rest` selects."""

    cursor: _Cursor | None
    rest: Any = None


def _behind(selection: Selection, after: str) -> _Cursor | None:
    """Where to go on behind `after`: behind all keys of its stem if `after` is one. None if nothing can follow."""
    if after < selection.prefix:
        return _Cursor(selection.prefix, inclusive=True)
    if stem_of(selection, after) == after:
        following = successor(after)
        return None if following is None else _Cursor(following, inclusive=True)
    return _Cursor(after, inclusive=False)


def stem_of(selection: Selection, key: str) -> str | None:
    """The part of `key` up to and with the first delimiter behind the prefix, or None."""
    if not selection.delimiter or not key.startswith(selection.prefix):
        return None
    at = key.find(selection.delimiter, len(selection.prefix))
    return None if at < 0 else key[: at + len(selection.delimiter)]


def _page(transaction: Transaction, source: _Source[R], selection: Selection, start: _Start) -> Listing[R]:
    rows: list[R] = []
    stems: list[str] = []
    last: R | str | None = None
    if selection.limit == 0:
        return Listing(rows, stems, is_truncated=False, last=None)
    for entry in _entries(transaction, source, selection, start):
        if len(rows) + len(stems) == selection.limit:
            return Listing(rows, stems, is_truncated=True, last=last)
        last = entry
        if isinstance(entry, str):
            stems.append(entry)
        else:
            rows.append(entry)
    return Listing(rows, stems, is_truncated=False, last=last)


def _entries(transaction: Transaction, source: _Source[R], selection: Selection, start: _Start) -> Iterator[R | str]:
    cursor, rest = start.cursor, start.rest
    while cursor is not None:
        stem = None
        for row in transaction.connection.execute(_query(source, selection, cursor, rest)):
            stem = stem_of(selection, row.key)
            if stem is not None:
                break
            yield source.convert(row)
        if stem is None:
            return
        yield stem
        following = successor(stem)
        cursor, rest = (None if following is None else _Cursor(following, inclusive=True)), None


def _query(source: _Source[R], selection: Selection, cursor: _Cursor, rest: Any) -> Select[Any]:
    key = source.table.c.key
    behind = key >= cursor.key if cursor.inclusive else key > cursor.key
    query = select(source.table).where(source.table.c.bucket == selection.bucket)
    query = query.where(behind if rest is None else or_(rest, behind))
    end = successor(selection.prefix)
    if end is not None:
        query = query.where(key < end)
    return source.arrange(query).limit(selection.limit + 1)


def _current_rows(query: Select[Any]) -> Select[Any]:
    return query.where(versions.c.is_latest, ~versions.c.is_delete_marker).order_by(versions.c.key)


def _version_rows(query: Select[Any]) -> Select[Any]:
    return query.order_by(versions.c.key, versions.c.seq.desc())


def _upload_rows(query: Select[Any]) -> Select[Any]:
    return query.order_by(uploads.c.key, uploads.c.upload_id)
