"""Where a body ends: decoders that take bytes and say which belong to the body. No socket here.

Chunks are decoded here and not by httptools because it neither limits their extensions and trailers nor says where in
its input a message ended, and the bytes behind it are the next message's.
"""

from __future__ import annotations

import re
from typing import Protocol

from moorage.wire.messages import BodyTooLarge, Refused

_CHUNK_LINE_BYTES_MAX = 256
_TRAILER_BYTES_MAX = 8_192
# A chunk's size, and extensions (RFC 9112, 7.1.1), which nobody uses and we ignore.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t -~\x80-\xff]*)?")
_PLAIN_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_TRAILER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t -~\x80-\xff]*")
# What says where a message ends, where it goes or whose it is has no place behind it (RFC 9110, 6.5.1).
_NO_TRAILERS = frozenset(
    {b"authorization", b"connection", b"content-length", b"host", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)


class Decoder(Protocol):
    """Turns what arrives into pieces of one body."""

    done: bool

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Pieces of the body, and what follows its end (empty before). Raises Refused."""
        ...

    def is_cut_by_end(self) -> bool:
        """Whether the end of the connection, now, cuts the body short."""
        ...


class FixedLength:
    """A body of a known number of bytes."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        size = len(data)
        if size < self._left:
            self._left -= size
            return [data], b""
        rest = data[self._left :]
        piece = data[: self._left] if rest else data
        self._left = 0
        self.done = True
        return [piece] if piece else [], rest

    def is_cut_by_end(self) -> bool:
        return not self.done


class UntilClosed:
    """A body of an answer that ends with the connection."""

    __slots__ = ("_left", "done")

    def __init__(self, bytes_max: int) -> None:
        self._left = bytes_max
        self.done = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        self._left -= len(data)
        if self._left < 0:
            raise BodyTooLarge
        return [data], b""

    def is_cut_by_end(self) -> bool:
        return False


class Chunked:
    """A chunked body. Trailers are checked and dropped."""

    __slots__ = ("_is_between", "_left", "_line", "_step", "_total_left", "_trailer_bytes", "done")

    def __init__(self, bytes_max: int) -> None:
        self._total_left = bytes_max
        self._left = 0
        self._line = b""
        self._trailer_bytes = 0
        self._step = self._read_size
        self._is_between = True
        """Whether the line of a chunk's size comes next."""
        self.done = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        pieces: list[bytes] = []
        if self._line:
            data, self._line = self._line + data, b""
        position = 0
        while position < len(data) and not self.done:
            if self._is_between:
                position = self._take_whole(data, position, pieces)
                if position == len(data):
                    break
            if self._left:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                continue
            end = data.find(b"\n", position)
            if end < 0:
                self._hold(data[position:])
                return pieces, b""
            self._step(self._text(data[position : end + 1]))
            position = end + 1
        return pieces, data[position:] if self.done else b""

    def is_cut_by_end(self) -> bool:
        return not self.done

    def _take_whole(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Take the plain chunks that are here as a whole, and say where they end. What is odd is for the steps.

        That makes a small chunk five times cheaper, so that a body of nothing else holds up nobody.
        """
        while match := _PLAIN_CHUNK_LINE.match(data, position):
            size = int(match[1], 16)
            start = match.end()
            end = start + size
            if not size or size > self._total_left or data[end : end + 2] != b"\r\n":
                break
            self._total_left -= size
            pieces.append(data[start:end])
            position = end + 2
        return position

    def _hold(self, line: bytes) -> None:
        if len(line) > self._line_bytes_max():
            raise Refused(400, "a chunk's extensions or the trailers are too large")
        if b"\r" in line[:-1] or (self._step == self._read_chunk_end and line != b"\r"):
            raise Refused(400, "a line of the chunked body does not end in CR LF")
        self._line = line

    def _text(self, line: bytes) -> bytes:
        if len(line) > self._line_bytes_max() + 2:
            raise Refused(400, "a chunk's extensions or the trailers are too large")
        if not line.endswith(b"\r\n"):
            raise Refused(400, "a line of the chunked body does not end in CR LF")
        return line[:-2]

    def _line_bytes_max(self) -> int:
        return _TRAILER_BYTES_MAX if self._step == self._read_trailer else _CHUNK_LINE_BYTES_MAX

    def _read_size(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise Refused(400, "a chunk's size is malformed")
        size = int(match[1], 16)
        self._total_left -= size
        if self._total_left < 0:
            raise BodyTooLarge
        self._left = size
        self._is_between = False
        self._step = self._read_chunk_end if size else self._read_trailer

    def _read_chunk_end(self, line: bytes) -> None:
        if line:
            raise Refused(400, "a chunk is longer than its size")
        self._step = self._read_size
        self._is_between = True

    def _read_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _TRAILER_BYTES_MAX:
            raise Refused(400, "the trailers are too large")
        match = _TRAILER.fullmatch(line)
        if match is None or match[1].lower() in _NO_TRAILERS:
            raise Refused(400, "a trailer is malformed or may not be one")


def request_decoder(content_length: int | None, *, bytes_max: int) -> Decoder:
    """The decoder for a request's body."""
    return Chunked(bytes_max) if content_length is None else FixedLength(content_length)


def response_decoder(content_length: int | None, *, bytes_max: int) -> Decoder:
    """The decoder for an answer's body; a length of -1 stands for "until the connection ends". Raises BodyTooLarge."""
    if content_length is None:
        return Chunked(bytes_max)
    if content_length > bytes_max:
        raise BodyTooLarge
    return UntilClosed(bytes_max) if content_length < 0 else FixedLength(content_length)
