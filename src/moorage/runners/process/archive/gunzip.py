"""A gzip stream, read forwards in bounded steps, with an eye on how much comes out of how little."""

from __future__ import annotations

import zlib

from moorage.runners.process.archive.rules import (
    NOT_AN_ARCHIVE,
    RATIO_FREE_BYTES,
    RATIO_MAX,
    TOTAL_BYTES_MAX,
    TRUNCATED,
    Refused,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = b"\x1f\x8b"
_STEP = 1 << 18
_GZIP = 31


class GzipReader:
    """The uncompressed bytes of a gzip stream, concatenated streams as one. `read_raw(n)` gives compressed bytes."""

    def __init__(self, read_raw: Callable[[int], bytes]) -> None:
        self._read_raw = read_raw
        self._inflater = zlib.decompressobj(_GZIP)
        self._raw = b""
        self._plain = b""
        self._bytes_in = 0
        self._bytes_out = 0
        self._ended = False

    def take(self, count: int) -> bytes:
        """Between 1 and `count` bytes; empty at the end. Raises Refused."""
        while not self._plain and not self._ended:
            self._inflate()
        taken, self._plain = self._plain[:count], self._plain[count:]
        return taken

    def take_exactly(self, count: int) -> bytes:
        """`count` bytes. Raises Refused, also if there are fewer."""
        pieces = []
        while count:
            piece = self.take(count)
            if not piece:
                raise Refused(TRUNCATED)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass over `count` bytes. Raises Refused, also if there are fewer."""
        while count:
            piece = self.take(min(count, _STEP))
            if not piece:
                raise Refused(TRUNCATED)
            count -= len(piece)

    def drain(self) -> None:
        """Read to the end, where the checksum stands. Raises Refused if it does not agree."""
        while self.take(_STEP):
            pass

    def _inflate(self) -> None:
        if not self._raw:
            self._raw = self._read_raw(_STEP)
            if not self._raw:
                raise Refused(TRUNCATED if self._bytes_in else "the archive is empty")
            if not self._bytes_in and not self._raw.startswith(_MAGIC):
                raise Refused(NOT_AN_ARCHIVE)
            self._bytes_in += len(self._raw)
        try:
            self._plain = self._inflater.decompress(self._raw, _STEP)
        except zlib.error as error:
            raise Refused(f"the archive is damaged: its gzip data does not decompress ({error})") from None
        self._raw = self._inflater.unconsumed_tail
        self._bytes_out += len(self._plain)
        self._check_growth()
        if self._inflater.eof:
            self._next_stream(self._inflater.unused_data)

    def _next_stream(self, rest: bytes) -> None:
        """Go on with a concatenated stream. Padding after the last one is not data."""
        if len(rest) < len(_MAGIC):
            more = self._read_raw(_STEP)
            self._bytes_in += len(more)
            rest += more
        if rest.startswith(_MAGIC):
            self._inflater = zlib.decompressobj(_GZIP)
            self._raw = rest
        else:
            self._ended = True

    def _check_growth(self) -> None:
        if self._bytes_out > TOTAL_BYTES_MAX:
            raise Refused(f"the archive unpacks to more than {TOTAL_BYTES_MAX >> 30} GiB")
        if self._bytes_out > RATIO_FREE_BYTES and self._bytes_out > RATIO_MAX * self._bytes_in:
            raise Refused(f"the archive unpacks to more than {RATIO_MAX} times its size")
