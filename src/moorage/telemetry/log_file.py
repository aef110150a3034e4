"""One log file, read by seeking: it may be large, and it may be growing.

A line is `2026-11-21T02:55:00.123Z text`, see `log_lines`; a line without that prefix shares the time before it. Times
in a file do not go back, but for a few milliseconds where several processes print. Positions are byte offsets of line
starts, which never change: files grow at their end, and their beginning may become a hole. A last line without its line
feed is still being written, and is not there yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from moorage.system.holes import data_start
from moorage.telemetry.log_lines import PRINTED, TIME_BYTES, TIME_IN_BLOCK, LineForm, split_time

_BLOCK: Final = 64 * 1024
LINES_AT_ONCE: Final = 256
_HOLE: Final = b"\0"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line: when, what, where in the file it begins and ends, and when it was put there, if it was."""

    at_ms: int
    message: str
    start: int
    end: int
    put_ms: int | None = None

    @property
    def came_ms(self) -> int:
        """When it came: between an instance and its log lies nothing."""
        return self.at_ms if self.put_ms is None else self.put_ms


def read_events(file: BinaryIO, start: int, *, stop: int, form: LineForm = PRINTED) -> Iterator[LogEvent]:
    """The lines from the position `start` up to the position `stop`, in order."""
    at_ms = None
    for line, begin, end in _until(file, start, stop=stop, bytes_max=form.bytes_max):
        if line.startswith(_HOLE):
            continue  # it has become a part of the hole since `start` was found
        time, text = split_time(line)
        if time is not None:
            at_ms = time
        elif at_ms is None:
            at_ms = _time_before(file, begin)
            file.seek(end)
        message, put_ms = form.read(text, end - begin - len(line))
        yield LogEvent(at_ms, message, begin, end, put_ms)


def read_events_backward(
    file: BinaryIO, stop: int, *, start: int, form: LineForm = PRINTED, at_once: int = LINES_AT_ONCE
) -> Iterator[LogEvent]:
    """The same lines, the last one first; `at_once` of them are read together."""
    while stop > start:
        begin = back_up(file, stop, lines=at_once, floor=start)
        yield from reversed(list(read_events(file, begin, stop=stop, form=form)))
        stop = begin


def begin_of(file: BinaryIO) -> int:
    """The position of the first line: 0, or behind the hole, which ends where a line begins."""
    position = data_start(file.fileno())
    file.seek(position)
    while block := file.read(_BLOCK):
        text = block.lstrip(_HOLE)
        if text:
            return position + len(block) - len(text)
        position += len(block)
    return position


def end_of(file: BinaryIO) -> int:
    """The position behind the last line that is complete."""
    return back_up(file, os.fstat(file.fileno()).st_size, lines=0, floor=begin_of(file))


def find_time(file: BinaryIO, at_ms: int, *, stop: int, start: int = 0) -> int:
    """The position of the first line at `at_ms` or later; `stop` if there is none before it. Halves, then reads."""
    low, high = start, stop
    while high - low > _BLOCK:
        middle = (low + high) // 2
        timed = _first_timed(file, _next_line(file, middle, stop=stop), stop=high)
        if timed is not None and timed.at_ms < at_ms:
            low = timed.end
        else:
            high = middle
    while (timed := _first_timed(file, low, stop=stop)) is not None:
        if timed.at_ms >= at_ms:
            return timed.start
        low = timed.end
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


def time_at(file: BinaryIO, position: int) -> int:
    """The time of the line that begins at `position`, if only one that it shares."""
    own = _time_at(file, position)
    return _time_before(file, position) if own is None else own


def align(file: BinaryIO, position: int, *, start: int, stop: int) -> int:
    """The first position at or behind the byte `position`, and at or behind the position `start`."""
    return start if position <= start else _next_line(file, position - 1, stop=stop)


def _lines(file: BinaryIO, start: int, bytes_max: int) -> Iterator[tuple[bytes, int, int]]:
    """Complete lines without their line feed, cut to `bytes_max`, with where they begin and end."""
    file.seek(start)
    while True:
        line = file.readline(bytes_max)
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


class _Timed(NamedTuple):
    """A line that has a time."""

    at_ms: int
    start: int
    end: int


def _first_timed(file: BinaryIO, start: int, *, stop: int) -> _Timed | None:
    """The first line from the position `start` on, before `stop`, that has a time.

    It is looked for in blocks rather than line by line: what native code prints may be megabytes without one.
    """
    position = start - 1  # each time but that of the line at `start` is looked for behind its line feed
    time = _time_at(file, start) if start < stop else None
    at = start
    while time is None and position < stop:
        file.seek(max(0, position))
        found = TIME_IN_BLOCK.search(file.read(_BLOCK + TIME_BYTES))
        if found is None:
            position += _BLOCK
            continue
        at = max(0, position) + found.start() + 1
        time = _time_at(file, at) if at < stop else None
        position = at
    return None if time is None else _Timed(time, at, _next_line(file, at, stop=stop))


def _time_before(file: BinaryIO, position: int) -> int:
    """The time that a line without one shares: the last one before it, else the file's."""
    floor = begin_of(file)
    high = position
    while high > floor:
        low = max(floor, high - _BLOCK)
        file.seek(low)
        block = file.read(high - low + TIME_BYTES)
        for found in reversed(list(TIME_IN_BLOCK.finditer(block))):
            at = low + found.start() + 1
            time = _time_at(file, at) if at < position else None
            if time is not None:
                return time
        high = low
    time = _time_at(file, floor)
    return int(os.fstat(file.fileno()).st_mtime * 1000) if time is None else time


def _time_at(file: BinaryIO, position: int) -> int | None:
    """The time of the line that begins there, if it has one."""
    file.seek(position)
    return split_time(file.read(TIME_BYTES))[0]


def _until(
    file: BinaryIO, start: int, *, stop: int, bytes_max: int = PRINTED.bytes_max
) -> Iterator[tuple[bytes, int, int]]:
    for line, begin, end in _lines(file, start, bytes_max):
        if begin >= stop:
            return
        yield line, begin, end
