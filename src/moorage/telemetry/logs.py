"""The log folder, read: endpoints as groups, instances as streams, lines as events with times.

Files lie at `<region>/<endpoint>/<variant>/<instance>.log`, and of an instance with several containers also at
`…/<variant>/<instance>/<container>.log`; `log_file` says what is in them. Everything here blocks: call it in a thread.
Names from outside reach the file system only after they have matched a pattern without dots and slashes.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from moorage.telemetry.log_file import LogEvent, align, back_up, end_of, find_time, read_events

PAGE_BYTES_MAX: Final = 1024 * 1024
"""About how much text a page holds at most, as CloudWatch's does."""
SCAN_BYTES_MAX: Final = 32 * 1024 * 1024
"""How much a search reads before it pauses and hands back a cursor."""
_LOGS: Final = ("*.log", "*/*.log")
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,63}")


class NoSuchGroup(LookupError):
    """There are no logs of that endpoint."""


class NoSuchStream(LookupError):
    """There are no logs of that instance or container."""


@dataclass(frozen=True, slots=True)
class LogStream:
    """One log, called `<variant>/<instance>` or `<variant>/<instance>/<container>`.

    `first_ms`, `last_ms` are None while there is no line.
    """

    name: str
    size_bytes: int
    created_ms: int
    first_ms: int | None
    last_ms: int | None


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


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found, and where it goes on (None when everything has been searched)."""

    events: Sequence[tuple[str, LogEvent]]
    cursor: Cursor | None


class LogFolder:
    """The read side of the logs under `root`. Times are milliseconds since 1970; `since` inclusive, `before` not."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def groups(self, region: str) -> list[str]:
        """The endpoints that have logs, by name."""
        if not _NAME.fullmatch(region):
            return []
        return _names(self._root / region)

    def stream_names(self, region: str, endpoint: str) -> list[str]:
        """The streams of an endpoint, by name. Raises NoSuchGroup."""
        return list(self._files(region, endpoint))

    def streams(self, region: str, endpoint: str, *, names: Sequence[str]) -> list[LogStream]:
        """What there is to say about streams of an endpoint. Raises NoSuchGroup."""
        files = self._files(region, endpoint)
        return [_look(name, files[name]) for name in names if name in files]

    def read_forward(
        self, region: str, endpoint: str, stream: str, *, after: int | None, since: int, before: int | None, limit: int
    ) -> LogPage:
        """The first lines behind the position `after`, else of the time range. Raises NoSuchGroup, NoSuchStream."""
        with self._open(region, endpoint, stream) as file:
            low, high = _range(file, since=since, before=before)
            start = low if after is None else max(low, align(file, min(after, high), stop=high))
            events = _take(read_events(file, start, stop=high), limit)
            return LogPage(events, start, events[-1].end if events else start)

    def read_backward(
        self, region: str, endpoint: str, stream: str, *, until: int | None, since: int, before: int | None, limit: int
    ) -> LogPage:
        """The last lines before the position `until`, else of the time range. Raises NoSuchGroup, NoSuchStream."""
        with self._open(region, endpoint, stream) as file:
            low, high = _range(file, since=since, before=before)
            end = high if until is None else min(high, align(file, min(until, high), stop=high))
            near = align(file, max(low, end - PAGE_BYTES_MAX), stop=end)
            floor = near if near < end else back_up(file, end, lines=1, floor=low)
            start = back_up(file, end, lines=limit, floor=min(max(floor, low), end))
            return LogPage(list(read_events(file, start, stop=end)), start, end)

    def search(
        self,
        region: str,
        endpoint: str,
        *,
        streams: Sequence[str],
        since: int,
        before: int | None,
        after: Cursor | None,
        limit: int,
        matches: Callable[[str], bool],
    ) -> Found:
        """Lines of several streams as one sequence by time, those that match only. Raises NoSuchGroup."""
        files = self._files(region, endpoint)
        start = since if after is None else max(since, after.at_ms)
        with ExitStack() as stack:
            opened = {name: stack.enter_context(files[name].open("rb")) for name in streams if name in files}
            merged = heapq.merge(*(_timed(name, file, start, before) for name, file in opened.items()))
            return _find((item for item in merged if after is None or item[0] > after), limit, matches)

    def _open(self, region: str, endpoint: str, stream: str) -> BinaryIO:
        path = self._files(region, endpoint).get(stream)
        if path is None:
            raise NoSuchStream(stream)
        return path.open("rb")

    def _files(self, region: str, endpoint: str) -> dict[str, Path]:
        """The files of an endpoint by stream name, in order."""
        if not (_NAME.fullmatch(region) and _NAME.fullmatch(endpoint)):
            raise NoSuchGroup(endpoint)
        folder = self._root / region / endpoint
        if not folder.is_dir():
            raise NoSuchGroup(endpoint)
        return dict(sorted(_streams_below(folder)))


def _streams_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """The streams of an endpoint's folder, each with its file."""
    for variant in _names(folder):
        for pattern in _LOGS:
            for file in (folder / variant).glob(pattern):
                yield str(file.relative_to(folder).with_suffix("")), file


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and _NAME.fullmatch(entry.name))


def _look(name: str, path: Path) -> LogStream:
    with path.open("rb") as file:
        end = end_of(file)
        first = next(read_events(file, 0, stop=end), None)
        last = next(read_events(file, back_up(file, end, lines=1, floor=0), stop=end), None)
    if first is None or last is None:
        return LogStream(name, end, created_ms=int(path.stat().st_mtime * 1000), first_ms=None, last_ms=None)
    return LogStream(name, end, created_ms=first.at_ms, first_ms=first.at_ms, last_ms=last.at_ms)


def _range(file: BinaryIO, *, since: int, before: int | None) -> tuple[int, int]:
    """The positions between which the lines of a time range lie."""
    end = end_of(file)
    high = end if before is None else find_time(file, before, stop=end)
    return (find_time(file, since, stop=high) if since > 0 else 0), high


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


def _timed(name: str, file: BinaryIO, since: int, before: int | None) -> Iterator[tuple[Cursor, LogEvent]]:
    low, high = _range(file, since=since, before=before)
    for event in read_events(file, low, stop=high):
        yield Cursor(event.at_ms, name, event.start), event


def _find(items: Iterator[tuple[Cursor, LogEvent]], limit: int, matches: Callable[[str], bool]) -> Found:
    found: list[tuple[str, LogEvent]] = []
    scanned = size = 0
    for cursor, event in items:
        scanned += event.end - event.start
        if matches(event.message):
            found.append((cursor.stream, event))
            size += len(event.message)
        if len(found) == limit or size > PAGE_BYTES_MAX or scanned > SCAN_BYTES_MAX:
            return Found(found, cursor if next(items, None) is not None else None)
    return Found(found, None)
