"""One log file, read by seeking: it may be large, it may be growing, and its content is not to be trusted.

A line is `2026-11-21T02:55:00.123Z text`; a line without that prefix shares the time before it. Times in a file do not
go back. Positions are byte offsets of line starts, which never change, since files only grow. A last line without its
line feed is still being written, and is not there yet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

LINE_BYTES_MAX: Final = 64 * 1024
_BLOCK: Final = 64 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z ")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line: when, what, and where in the file it begins and ends."""

    at_ms: int
    message: str
    start: int
    end: int


def read_events(file: BinaryIO, start: int, *, stop: int) -> Iterator[LogEvent]:
    """The lines from the position `start` up to the position `stop`, in order."""
    at_ms = None
    for line, begin, end in _until(file, start, stop=stop):
        time, text = _split(line)
        if time is not None:
            at_ms = time
        elif at_ms is None:
            at_ms = _time_before(file, begin)
            file.seek(end)
        yield LogEvent(at_ms, _readable(text, cut_bytes=end - begin - len(line)), begin, end)


def end_of(file: BinaryIO) -> int:
    """The position behind the last line that is complete."""
    return back_up(file, os.fstat(file.fileno()).st_size, lines=0, floor=0)


def find_time(file: BinaryIO, at_ms: int, *, stop: int) -> int:
    """The position of the first line at `at_ms` or later; `stop` if there is none before it. Halves, then reads."""
    low, high = 0, stop
    while high - low > _BLOCK:
        middle = (low + high) // 2
        timed = _first_timed(file, _next_line(file, middle, stop=stop), stop=high)
        if timed is not None and timed[0] < at_ms:
            low = timed[1]
        else:
            high = middle
    for line, begin, _ in _until(file, low, stop=stop):
        time, _ = _split(line)
        if time is not None and time >= at_ms:
            return begin
    return stop


def back_up(file: BinaryIO, position: int, *, lines: int, floor: int) -> int:
    """The position `lines` lines before `position`, but not before `floor`."""
    missing = lines + 1  # the first line feed found ends the last of the lines
    high = position
    while high > floor:
        low = max(floor, high - _BLOCK)
        file.seek(low)
        block = file.read(high - low)
        index = len(block)
        while (index := block.rfind(b"\n", 0, index)) >= 0:
            missing -= 1
            if missing == 0:
                return low + index + 1
        high = low
    return floor


def align(file: BinaryIO, position: int, *, stop: int) -> int:
    """The first position at or behind the byte `position`."""
    return position if position == 0 else _next_line(file, position - 1, stop=stop)


def _lines(file: BinaryIO, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Complete lines without their line feed, cut to `LINE_BYTES_MAX`, with where they begin and end."""
    file.seek(start)
    while True:
        line = file.readline(LINE_BYTES_MAX)
        rest = line
        end = start + len(line)
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_BLOCK)
            end += len(rest)
        if not rest:
            return
        yield line.removesuffix(b"\n"), start, end
        start = end


def _next_line(file: BinaryIO, offset: int, *, stop: int) -> int:
    """The position behind the first line feed at or behind the byte `offset`."""
    file.seek(offset)
    while offset < stop:
        part = file.readline(_BLOCK)
        offset += len(part)
        if not part or part.endswith(b"\n"):
            return offset
    return stop


def _first_timed(file: BinaryIO, start: int, *, stop: int) -> tuple[int, int] | None:
    """The time of the first line before `stop` that has one, and the position behind that line."""
    for line, _, end in _until(file, start, stop=stop):
        time, _ = _split(line)
        if time is not None:
            return time, end
    return None


def _time_before(file: BinaryIO, position: int) -> int:
    """The time that a line without one shares: the last one before it, else the file's."""
    start = position
    while start > 0:
        before, start = start, back_up(file, start, lines=64, floor=0)
        times = [_split(line)[0] for line, _, _ in _until(file, start, stop=before)]
        known = [time for time in times if time is not None]
        if known:
            return known[-1]
    return int(os.fstat(file.fileno()).st_mtime * 1000)


def _until(file: BinaryIO, start: int, *, stop: int) -> Iterator[tuple[bytes, int, int]]:
    for line, begin, end in _lines(file, start):
        if begin >= stop:
            return
        yield line, begin, end


def _split(line: bytes) -> tuple[int | None, bytes]:
    """A line's time, if it has one, and its text."""
    prefix = _PREFIX.match(line)
    if prefix is None:
        return None, line
    try:
        moment = datetime.fromisoformat(prefix[1].decode()).replace(tzinfo=UTC)
    except ValueError:
        return None, line
    return (moment - _EPOCH) // timedelta(milliseconds=1), line[prefix.end() :]


def _readable(text: bytes, *, cut_bytes: int) -> str:
    """Text without anything that could play tricks on a terminal. `cut_bytes`, with the line feed, are not in it."""
    shown = text.removesuffix(b"\r").decode(errors="backslashreplace")
    shown = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", shown)
    return shown if cut_bytes <= 1 else f"{shown}… ({cut_bytes - 1} bytes more)"
