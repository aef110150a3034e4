"""A download: the file it goes to, how far it has come, and the digest of that."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType


class Abandoned(Exception):
    """Nobody wants the download any more."""


class Download:
    """A new file that is written in order. What breaks off can go on at `size`. Everything blocks but `abandon`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """In bytes, of what has come."""
        self._file = path.open("xb")
        self._digest = hashlib.sha256()
        self._is_wanted = True

    def __enter__(self) -> Download:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of what has come, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Take the next piece. Raises Abandoned, OSError."""
        if not self._is_wanted:
            raise Abandoned
        self._digest.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def abandon(self) -> None:
        """Have the next `write` fail, whichever thread it is in."""
        self._is_wanted = False
