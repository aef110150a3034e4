"""Putting events into a stream that somebody made.

Times in a file do not go back, so events that come late are put in their place by writing the file anew; what a reader
has open stays as it was. A file is not synced: what was put survives the end of every process, not a power cut.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from moorage.system.clock import Clock
from moorage.system.file_locks import locked
from moorage.telemetry.log_file import begin_of, end_of, find_time, read_events, read_events_backward
from moorage.telemetry.log_lines import PUT, encode_put
from moorage.telemetry.log_places import StreamFile
from moorage.telemetry.logs import NoSuchStream

_COPIED_AT_ONCE: Final = 1 << 20

Events = Sequence[tuple[int, str]]
"""Times in milliseconds since 1970, in order, each with its message."""


class PutTimes:
    """Tells the time in milliseconds since 1970, and no time twice: each put is later than those before it.

    By that a follower tells what it has not seen in a file that was written anew. May be asked by several threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """The time of the next put."""
        with self._lock:
            self._last_ms = max(self._last_ms + 1, int(self._clock.now().timestamp() * 1000))
            return self._last_ms


def put_events(stream: StreamFile, events: Events, *, put_at: Callable[[], int]) -> None:
    """Add events to a stream. `put_at` is asked for their put time when nobody else can put any.

    Blocks. Raises NoSuchStream, OSError.
    """
    try:
        with locked(stream.path, os.O_RDWR | os.O_APPEND) as descriptor, stream.path.open("rb") as file:
            end, now_ms = end_of(file), put_at()
            last = next(read_events_backward(file, end, start=begin_of(file), form=PUT), None)
            if last is None or last.at_ms <= events[0][0]:
                _append(descriptor, events, end=end, now_ms=now_ms)
            else:
                _insert(stream.path, file, events, end=end, now_ms=now_ms)
    except FileNotFoundError:
        raise NoSuchStream(stream.name) from None


def _append(descriptor: int, events: Events, *, end: int, now_ms: int) -> None:
    """Write at the end, behind the last line that is whole: one may have been cut short by a power cut."""
    os.ftruncate(descriptor, end)
    content = b"".join(encode_put(at_ms, message, put_ms=now_ms) for at_ms, message in events)
    if os.write(descriptor, content) < len(content):
        raise OSError("the log took only a part of the events")


def _insert(path: Path, file: BinaryIO, events: Events, *, end: int, now_ms: int) -> None:
    """Write a file that has the events in their place, and put it in the place of the one there is."""
    begin = begin_of(file)
    place = find_time(file, events[0][0] + 1, stop=end, start=begin)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as target:
        target.seek(begin)
        file.seek(begin)
        _copy(file, target, place - begin)
        new = ((at_ms, encode_put(at_ms, message, put_ms=now_ms)) for at_ms, message in events)
        target.writelines(line for _, line in heapq.merge(_lines(file, place, end), new, key=lambda item: item[0]))
    os.replace(fresh, path)


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    while length > 0 and (block := source.read(min(length, _COPIED_AT_ONCE))):
        target.write(block)
        length -= len(block)


def _lines(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """The times and lines of a part of a file, as they are."""
    for event in read_events(file, start, stop=stop, form=PUT):
        yield event.at_ms, encode_put(event.at_ms, event.message, put_ms=event.put_ms or event.at_ms)
