"""Log streams, read: pages of one, and searches through several as one sequence.

Everything here blocks: call it in a thread. Times are milliseconds since 1970; `since` inclusive, `before` not.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from moorage.telemetry.log_file import (
    LINES_AT_ONCE,
    LogEvent,
    align,
    back_up,
    begin_of,
    end_of,
    find_time,
    read_events,
    read_events_backward,
)
from moorage.telemetry.log_places import StreamFile

PAGE_BYTES_MAX: Final = 1024 * 1024
"""About how much text a page holds at most, as CloudWatch's does."""
SCAN_BYTES_MAX: Final = 32 * 1024 * 1024
"""How much a search reads before it pauses and hands back a cursor."""

_LINES_AT_ONCE: Final = 8192
"""How many lines a search holds, of all streams together."""
_LINES_AT_ONCE_MIN: Final = 16
_AHEAD_MS: Final = 2 * 3600 * 1000 + 60_000
_DISORDER_MS: Final = 100
"""How far times of what several processes print may go back: one may be held up between taking the time and writing."""


class NoSuchStream(LookupError):
    """There is no such stream, or not any more."""


@dataclass(frozen=True, slots=True)
class LogStream:
    """What there is to say about a stream. `first_ms`, `last_ms` and `came_ms` are None while there is no line."""

    name: str
    size_bytes: int
    created_ms: int
    first_ms: int | None = None
    last_ms: int | None = None
    came_ms: int | None = None
    """When the last line came."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines in order, and the positions before the first and behind the last of them."""

    events: Sequence[LogEvent]
    start: int
    end: int


class Cursor(NamedTuple):
    """How far a search over several streams has come: the order is by time, then stream, then position."""

    at_ms: int
    stream: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, from where, and in which order."""

    since: int
    before: int | None
    limit: int
    matches: Callable[[str], bool]
    after: Cursor | None = None
    is_descending: bool = False
    has_to_pause: Callable[[], bool] = lambda: False
    """Asked after each line whether that is enough for one page."""

    def includes(self, at_ms: int) -> bool:
        """Whether a time is one that is searched."""
        return self.since <= at_ms and (self.before is None or at_ms < self.before)

    def is_behind(self, cursor: Cursor) -> bool:
        """Whether a place is one that the search has not come to yet."""
        if self.after is None:
            return True
        return cursor < self.after if self.is_descending else cursor > self.after


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found, and where it goes on (None when everything has been searched)."""

    events: Sequence[tuple[str, LogEvent]]
    cursor: Cursor | None


def look(stream: StreamFile) -> LogStream:
    """What there is to say about a stream. Raises NoSuchStream."""
    with _open(stream) as file:
        begin, end = begin_of(file), end_of(file)
        first = next(read_events(file, begin, stop=end, form=stream.form), None)
        last = next(read_events_backward(file, end, start=begin, form=stream.form), None)
    size = max(0, end - begin)
    if first is None or last is None:
        created_ms = int(stream.path.stat().st_mtime * 1000) if stream.created_ms is None else stream.created_ms
        return LogStream(stream.name, size, created_ms)
    created_ms = first.at_ms if stream.created_ms is None else stream.created_ms
    return LogStream(stream.name, size, created_ms, first.at_ms, last.at_ms, last.came_ms)


def read_forward(stream: StreamFile, *, after: int | None, since: int, before: int | None, limit: int) -> LogPage:
    """The first lines behind the position `after`, else of the time range. Raises NoSuchStream."""
    with _open(stream) as file:
        low, high = _range(file, since=since, before=before)
        start = low if after is None else align(file, min(after, high), start=low, stop=high)
        events = _take(read_events(file, start, stop=high, form=stream.form), limit)
        return LogPage(events, start, events[-1].end if events else start)


def read_backward(stream: StreamFile, *, until: int | None, since: int, before: int | None, limit: int) -> LogPage:
    """The last lines before the position `until`, else of the time range. Raises NoSuchStream."""
    with _open(stream) as file:
        low, high = _range(file, since=since, before=before)
        end = high if until is None else align(file, min(until, high), start=low, stop=high)
        near = align(file, end - PAGE_BYTES_MAX, start=low, stop=end)
        floor = near if near < end else back_up(file, end, lines=1, floor=low)
        start = back_up(file, end, lines=limit, floor=floor)
        return LogPage(list(read_events(file, start, stop=end, form=stream.form)), start, end)


def search(streams: Iterable[StreamFile], wanted: Search) -> Found:
    """Lines of several streams as one sequence by time, those that match only. Streams that have gone have none."""
    written = [stream for stream in streams if _may_have(stream, wanted.since)]
    at_once = max(_LINES_AT_ONCE_MIN, _LINES_AT_ONCE // max(1, len(written)))
    merged = heapq.merge(*(_timed(stream, wanted, at_once) for stream in written), reverse=wanted.is_descending)
    return _find((item for item in merged if wanted.is_behind(item[0])), wanted)


def _may_have(stream: StreamFile, since_ms: int) -> bool:
    """Whether a stream was written to late enough to have lines from then on. Events may be put ahead of their time."""
    try:
        return stream.path.stat().st_mtime * 1000 + _AHEAD_MS >= since_ms
    except FileNotFoundError:
        return False


def _open(stream: StreamFile) -> BinaryIO:
    try:
        return stream.path.open("rb")
    except FileNotFoundError:
        raise NoSuchStream(stream.name) from None


def _range(file: BinaryIO, *, since: int, before: int | None) -> tuple[int, int]:
    """The positions between which the lines of a time range lie."""
    begin, end = begin_of(file), end_of(file)
    high = end if before is None else find_time(file, before, stop=end, start=begin)
    return (find_time(file, since, stop=high, start=begin) if since > 0 else begin), max(begin, high)


def _take(events: Iterator[LogEvent], limit: int) -> list[LogEvent]:
    """The first events, until there are `limit` of them or enough text."""
    taken: list[LogEvent] = []
    size = 0
    for event in events:
        size += len(event.message)
        if taken and size > PAGE_BYTES_MAX:
            break
        taken.append(event)
        if len(taken) == limit:
            break
    return taken


def _timed(stream: StreamFile, wanted: Search, at_once: int) -> Iterator[tuple[Cursor, LogEvent]]:
    """The lines of one stream from about where the search is, in its order. A line's place never goes back in time.

    Its file is open only while `at_once` lines are read: a group may have more streams than a process open files.
    """
    span: tuple[int, int] | None = None
    further = min if wanted.is_descending else max
    cursor = _cursor_in(stream, wanted)
    at_ms = None if cursor is None else cursor.at_ms
    while True:
        try:
            with stream.path.open("rb") as file:
                low, high = span or _searched_range(stream, file, wanted)
                events = list(itertools.islice(_read(stream, file, (low, high), wanted, at_once), at_once))
        except FileNotFoundError:
            return
        for event in events:
            at_ms = event.at_ms if at_ms is None else further(at_ms, event.at_ms)
            if wanted.includes(event.at_ms):
                yield Cursor(at_ms, stream.name, event.start), event
        if len(events) < at_once:
            return
        span = (low, events[-1].start) if wanted.is_descending else (events[-1].end, high)


def _cursor_in(stream: StreamFile, wanted: Search) -> Cursor | None:
    """Where the search is in a stream whose positions never change."""
    is_there = stream.is_printed and wanted.after is not None and wanted.after.stream == stream.name
    return wanted.after if is_there else None


def _searched_range(stream: StreamFile, file: BinaryIO, wanted: Search) -> tuple[int, int]:
    """The positions between which all lines lie that the search has not come to yet, and a few others."""
    since, before, after = wanted.since, wanted.before, wanted.after
    cursor = _cursor_in(stream, wanted)
    if cursor is None and after is not None and wanted.is_descending:
        before = after.at_ms + 1 if before is None else min(before, after.at_ms + 1)
    elif cursor is None and after is not None:
        since = max(since, after.at_ms)
    slack_ms = _DISORDER_MS if stream.is_printed else 0
    low, high = _range(file, since=since - slack_ms, before=None if before is None else before + slack_ms)
    if cursor is None:
        return low, high
    place = align(file, min(cursor.start, high), start=low, stop=high)
    return (low, place) if wanted.is_descending else (place, high)


def _read(
    stream: StreamFile, file: BinaryIO, span: tuple[int, int], wanted: Search, at_once: int
) -> Iterator[LogEvent]:
    low, high = span
    if not wanted.is_descending:
        return read_events(file, low, stop=high, form=stream.form)
    return read_events_backward(file, high, start=low, form=stream.form, at_once=min(at_once, LINES_AT_ONCE))


def _find(items: Iterator[tuple[Cursor, LogEvent]], wanted: Search) -> Found:
    found: list[tuple[str, LogEvent]] = []
    scanned = size = 0
    for cursor, event in items:
        scanned += event.end - event.start
        if wanted.matches(event.message):
            found.append((cursor.stream, event))
            size += len(event.message)
        is_full = len(found) == wanted.limit or size > PAGE_BYTES_MAX or scanned > SCAN_BYTES_MAX
        if is_full or wanted.has_to_pause():
            return Found(found, cursor if next(items, None) is not None else None)
    return Found(found, None)
