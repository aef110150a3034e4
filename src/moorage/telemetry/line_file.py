"""A file of lines that several processes append to, and that never outgrows its size."""

from __future__ import annotations

import os
from pathlib import Path

from moorage.system.file_locks import locked


class LineFile:
    """The file at `path`, and beside it the one before it with the suffix `.1`: together at most about `bytes_max`.

    The file is opened anew for every `append`, so it may be moved or removed by anybody at any time.
    """

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self._path = path
        self._older = path.with_name(path.name + ".1")
        self._bytes_max = bytes_max // 2

    def append(self, lines: bytes) -> None:
        """Add whole lines, each with its line feed; those of others come before or after. Raises OSError.

        A line that was cut short, by a full disk or a power cut, is ended first.
        """
        with locked(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
            size = os.fstat(file).st_size
            content = lines if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n" + lines
            if os.write(file, content) < len(content):
                raise OSError(f"{self._path} took only a part of the lines")
            if size + len(content) > self._bytes_max:
                os.replace(self._path, self._older)
