"""A file of lines that several processes append to, and that never outgrows its size."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


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
        with self._locked() as file:
            size = os.fstat(file).st_size
            content = lines if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n" + lines
            if os.write(file, content) < len(content):
                raise OSError(f"{self._path} took only a part of the lines")
            if size + len(content) > self._bytes_max:
                os.replace(self._path, self._older)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """The file that is at the path, and nobody else's meanwhile: what is locked may have been replaced by then."""
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._is_current(file):
                    yield file
                    return
            finally:
                os.close(file)

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(file))
        except FileNotFoundError:
            return False
