"""Following the streams of a group: what comes to them from one look to the next. Blocks: call it in a thread."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

import msgspec

from moorage.telemetry.log_file import (
    LINES_AT_ONCE,
    LogEvent,
    align,
    begin_of,
    end_of,
    read_events,
    read_events_backward,
)
from moorage.telemetry.log_places import LogPlaces, StreamFile

_TAIL_BYTES: Final = 256


class Place(msgspec.Struct, array_like=True):
    """How far a stream's file has been read. `put_ms` is the newest time at which one of its events was put.

    A file that was written anew may have got the number of one before it, so `tail` is a checksum of what stands before
    the position; 0 if that is not known.
    """

    file: int
    position: int
    put_ms: int = 0
    tail: int = 0


class Follower:
    """Follows the streams of a group that `is_wanted` by name, those that are made later included.

    It goes on from where `known` says that another one has come to, else from now.
    """

    def __init__(
        self,
        places: LogPlaces,
        region: str,
        group: str,
        *,
        is_wanted: Callable[[str], bool] = lambda _: True,
        known: Mapping[str, Place] | None = None,
    ) -> None:
        self._places = places
        self._region = region
        self._group = group
        self._is_wanted = is_wanted
        self._known: dict[str, Place] = dict(known or {})
        if known is None:
            for stream in self._streams():
                for _ in self._look(stream, from_end=True):
                    pass

    @property
    def known(self) -> Mapping[str, Place]:
        """How far each stream has been read."""
        return self._known

    def new(self) -> Iterator[tuple[str, LogEvent]]:
        """The events that have come since the last look, stream by stream, each with its stream's name."""
        streams = list(self._streams())
        for name in self._known.keys() - {stream.name for stream in streams}:
            del self._known[name]
        for stream in streams:
            for event in self._look(stream, from_end=False):
                yield stream.name, event

    def _streams(self) -> Iterator[StreamFile]:
        streams = self._places.streams(self._region, self._group)
        return (stream for name, stream in streams.items() if self._is_wanted(name))

    def _look(self, stream: StreamFile, *, from_end: bool) -> Iterator[LogEvent]:
        known = self._known.get(stream.name)
        try:
            facts = stream.path.stat()
            if known is not None and (known.file, known.position) == (facts.st_ino, facts.st_size):
                return
            with stream.path.open("rb") as file:
                yield from self._read(stream, file, known, from_end=from_end)
        except FileNotFoundError:
            return

    def _read(self, stream: StreamFile, file: BinaryIO, known: Place | None, *, from_end: bool) -> Iterator[LogEvent]:
        begin, end = begin_of(file), end_of(file)
        identity = os.fstat(file.fileno()).st_ino
        put_ms = known.put_ms if known is not None else 0
        place = self._known[stream.name] = Place(identity, end, put_ms, _tail_of(stream, file, begin, end))
        if from_end:
            place.put_ms = _newest_put(stream, file, begin, end)
            return
        start = begin
        is_another = known is None or known.file != identity or _is_rewritten(stream, file, begin, known)
        if known is not None and not is_another and known.position <= end:
            start = align(file, known.position, start=begin, stop=end)
        newest = place.put_ms
        for event in read_events(file, start, stop=end, form=stream.form):
            put_ms = event.put_ms or 0
            place.put_ms = max(place.put_ms, put_ms)
            if known is None or not is_another or put_ms > newest or stream.is_printed:
                yield event  # in a file that was written anew, for what came late, the others have been seen


def _tail_of(stream: StreamFile, file: BinaryIO, begin: int, position: int) -> int:
    """The checksum of what stands before a position; 0 if it has been taken back, or is never written anew."""
    start = max(0, position - _TAIL_BYTES)
    if start < begin or stream.is_printed:
        return 0
    file.seek(start)
    return zlib.crc32(file.read(position - start))


def _is_rewritten(stream: StreamFile, file: BinaryIO, begin: int, known: Place) -> bool:
    """Whether something else stands before the position than stood there."""
    found = _tail_of(stream, file, begin, known.position)
    return known.tail != found and 0 not in (known.tail, found)


def _newest_put(stream: StreamFile, file: BinaryIO, begin: int, end: int) -> int:
    """When the last of the events at the end of a file was put, 0 if none of them was."""
    if stream.is_printed:
        return 0
    events = itertools.islice(read_events_backward(file, end, start=begin, form=stream.form), LINES_AT_ONCE)
    return max((event.put_ms or 0 for event in events), default=0)
