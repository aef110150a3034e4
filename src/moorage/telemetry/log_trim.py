"""Taking back room from log streams: their oldest lines, or all of them. Blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from moorage.core.log_room import Cut, Taken
from moorage.system.file_locks import try_lock
from moorage.system.holes import punch
from moorage.telemetry.log_file import align, begin_of, end_of, find_time
from moorage.telemetry.log_lines import PRINTED
from moorage.telemetry.log_places import LogPlaces, StreamFile

QUIET_S = 60.0
"""How long nothing has to have been written to a stream for it to be removed whole."""
_BLOCK_BYTES = 512


def measure(places: LogPlaces, *, now_s: float) -> Iterator[Taken]:
    """What each stream takes; its name here is its path."""
    for path, form in places.all_files():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        is_quiet = form is PRINTED and now_s - facts.st_mtime > QUIET_S
        yield Taken(
            str(path), facts.st_blocks * _BLOCK_BYTES, facts.st_mtime, is_removable=is_quiet and not is_living(path)
        )


def carry_out(cut: Cut, places: LogPlaces) -> int:
    """Do what was decided of a stream. Answers how many bytes of its lines have gone."""
    path = Path(cut.stream)
    try:
        if cut.is_removal:
            size = path.stat().st_size
            path.unlink()
            places.tidy(path)
            return size
        return _cut(path, cut.left_bytes)
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


def _cut(path: Path, left_bytes: int) -> int:
    with path.open("rb+") as file:
        begin, end = begin_of(file), end_of(file)
        until = align(file, end - left_bytes, start=begin, stop=end)
        punch(file.fileno(), until)
        return until - begin
