"""Members to files, below one folder descriptor and nowhere else.

Every path is walked part by part from that descriptor without following links, and every file is created anew. There
are no links to follow, since none is ever made; the flags are the second lock on the same door.
"""

from __future__ import annotations

import contextlib
import os

from moorage.runners.process.archive.gunzip import GzipReader
from moorage.runners.process.archive.rules import Refused, is_noise, shown, split
from moorage.runners.process.archive.tar import Member, members

_STEP = 1 << 18
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def extract(archive: int, target: int) -> tuple[int, int]:
    """Unpack the archive read from one descriptor below the folder of another; answers members and bytes written.

    Raises Refused, and OSError where the disk is at fault.
    """
    source = GzipReader(lambda count: os.read(archive, count))
    count = total = 0
    for member in members(source):
        parts = split(member.name)
        if not parts or is_noise(parts):
            source.skip(member.size)
            continue
        _write(member, parts, source, target)
        count += 1
        total += member.size
    source.drain()
    return count, total


def _write(member: Member, parts: list[bytes], source: GzipReader, target: int) -> None:
    try:
        if member.is_folder:
            os.close(_open_folder(parts, target))
        else:
            _write_file(member, parts, source, target)
    except FileExistsError:
        raise Refused(f"archive member {shown(member.name)} occurs twice") from None
    except NotADirectoryError:
        raise Refused(f"archive member {shown(member.name)} lies below a file") from None


def _write_file(member: Member, parts: list[bytes], source: GzipReader, target: int) -> None:
    parent = _open_folder(parts[:-1], target)
    try:
        file = os.open(parts[-1], _FILE_FLAGS, 0o555 if member.is_executable else 0o444, dir_fd=parent)
    finally:
        os.close(parent)
    try:
        left = member.size
        while left:
            piece = source.take(min(left, _STEP)) or source.take_exactly(1)
            left -= len(piece)
            while piece:
                piece = piece[os.write(file, piece) :]
    finally:
        os.close(file)


def _open_folder(parts: list[bytes], target: int) -> int:
    """Open a folder below `target`, making what is missing."""
    folder = os.dup(target)
    for part in parts:
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=folder)
            below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    return folder
