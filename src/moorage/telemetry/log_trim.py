"""Taking back room from log streams: their oldest lines, or all of them. Blocks."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from moorage.core.log_room import Cut, Taken
from moorage.system.file_locks import try_lock
from moorage.system.holes import punch
from moorage.telemetry.log_file import align, begin_of, end_of, find_time, time_at
from moorage.telemetry.log_lines import PRINTED, LineForm, printed_line
from moorage.telemetry.log_places import LogPlaces, StreamFile

QUIET_S = 60.0
"""How long nothing has to have been written to a stream for it to be removed whole."""
_BLOCK_BYTES = 512


def measure(places: LogPlaces, *, bytes_max: int, now_s: float) -> list[Taken]:
    """What each stream takes; its name here is its path.

    Whether it can be removed takes opening its file, so that is only found out where all of them take more than
    `bytes_max`.
    """
    streams = list(_sizes(places))
    if sum(taken.size_bytes for taken in streams) <= bytes_max:
        return streams
    return [replace(taken, is_removable=_is_removable(taken, places, now_s=now_s)) for taken in streams]


def _sizes(places: LogPlaces) -> Iterator[Taken]:
    for path in places.all_files():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        yield Taken(str(path), facts.st_blocks * _BLOCK_BYTES, facts.st_mtime, is_removable=False)


def _is_removable(taken: Taken, places: LogPlaces, *, now_s: float) -> bool:
    is_printed = places.form_of(Path(taken.stream)) is PRINTED
    return is_printed and now_s - taken.written_s > QUIET_S and not is_living(taken.stream)


def carry_out(cut: Cut, places: LogPlaces) -> int:
    """Do what was decided of a stream. Answers how many bytes of its lines have gone."""
    path = Path(cut.stream)
    try:
        if cut.is_removal:
            size = path.stat().st_size
            path.unlink()
            places.tidy(path)
            return size
        return _cut(path, cut, places.form_of(path))
    except FileNotFoundError:
        return 0


def expire(stream: StreamFile, *, before_ms: int, places: LogPlaces, now_s: float) -> None:
    """Remove what is older than a time, and the stream with it if an instance printed it and nobody will go on."""
    try:
        with stream.path.open("rb+") as file:
            begin, end = begin_of(file), end_of(file)
            until = find_time(file, before_ms, stop=end, start=begin)
            if until < end:
                punch(file.fileno(), until if until > begin else 0)
                return
            is_quiet = now_s - os.fstat(file.fileno()).st_mtime > QUIET_S
        if stream.is_printed and is_quiet and not is_living(stream.path):
            places.remove(stream)
        else:
            empty(stream)
    except FileNotFoundError:
        pass


def empty(stream: StreamFile) -> None:
    """Remove all lines that a stream has, and not the stream. Raises FileNotFoundError."""
    with stream.path.open("rb+") as file:
        punch(file.fileno(), end_of(file))


def delete(stream: StreamFile, places: LogPlaces) -> None:
    """Remove a stream. One that an instance still prints to loses all lines so far: it goes on with the next line."""
    try:
        if stream.is_printed and is_living(stream.path):
            empty(stream)
        else:
            places.remove(stream)
    except FileNotFoundError:
        pass


def is_living(path: str | Path) -> bool:
    """Whether an instance holds the file: its processes share a lock on it for life, see `runtime.output`."""
    try:
        with open(path, "rb") as file:
            return not try_lock(file.fileno())
    except FileNotFoundError:
        return False


def _cut(path: Path, cut: Cut, form: LineForm) -> int:
    """Take back the oldest lines but for so many bytes; what instances printed says so in their place.

    The line that says it has the time of the first one that is left, which need not have one of its own.
    """
    with path.open("rb+", buffering=0) as raw:
        file = io.BufferedReader(raw)
        begin, end = begin_of(file), end_of(file)
        until = align(file, end - cut.left_bytes, start=begin, stop=end)
        if until == begin:
            return 0
        gone = until - begin
        note = printed_line(time_at(file, until), f"the oldest {gone} bytes of this stream are gone: {cut.why}")
        punch(raw.fileno(), until)
        if form is PRINTED and os.fstat(raw.fileno()).st_size >= until >= len(note):
            os.pwrite(raw.fileno(), note, until - len(note))
        return gone
