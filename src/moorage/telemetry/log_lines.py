"""The lines of log files: `2026-11-21T02:55:00.123Z` and what was logged, in one of two forms.

What an instance prints stands there as it is, and is not to be trusted: it is cut, and what could play tricks on a
terminal is escaped when it is read. What was put by PutLogEvents is JSON behind its time, `[<put at>, "<message>"]`,
since it may hold line breaks and is given back byte by byte.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z ")
TIME_BYTES: Final = len("2026-11-21T02:55:00.123Z ")
TIME_IN_BLOCK: Final = re.compile(rb"\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
"""A line feed, and the time of the line behind it."""
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_PUT: Final = msgspec.json.Decoder(tuple[int, str])


class Said(NamedTuple):
    """What a line says: the message and, of one that was put, when that was, in milliseconds since 1970."""

    message: str
    put_ms: int | None = None


class LineForm(NamedTuple):
    """How the lines of a file are read: up to how many bytes, and what is made of the text behind the time."""

    bytes_max: int
    read: Callable[[bytes, int], Said]
    """Of the text, and of how many bytes of the line, its line feed included, are not in it."""


def split_time(line: bytes) -> tuple[int | None, bytes]:
    """A line's time, if it has one, and its text."""
    prefix = _PREFIX.match(line)
    if prefix is None:
        return None, line
    second_ms = _second_ms(prefix[1])
    return (None, line) if second_ms is None else (second_ms + int(prefix[2]), line[prefix.end() :])


@functools.lru_cache(maxsize=1024)  # many lines share a second: a tenth of what reading one costs
def _second_ms(text: bytes) -> int | None:
    try:
        moment = datetime.fromisoformat(text.decode()).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def encode_put(at_ms: int, message: str, *, put_ms: int) -> bytes:
    """The line of an event, with its line feed."""
    return b"%b %b\n" % (_stamp(at_ms).encode(), msgspec.json.encode((put_ms, message)))


def printed_line(at_ms: int, text: str) -> bytes:
    """A line of the platform's own among those of an instance, with its line feed."""
    return f"{_stamp(at_ms)} moorage: {text}\n".encode(errors="backslashreplace")


def _stamp(at_ms: int) -> str:
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _read_printed(text: bytes, cut_bytes: int) -> Said:
    shown = text.removesuffix(b"\r").decode(errors="backslashreplace")
    shown = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", shown)
    return Said(shown if cut_bytes <= 1 else f"{shown}… ({cut_bytes - 1} bytes more)")


def _read_put(text: bytes, cut_bytes: int) -> Said:
    try:
        put_ms, message = _PUT.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # a line that was cut short, as by a power cut
        return _read_printed(text, cut_bytes)
    return Said(message, put_ms)


PRINTED: Final = LineForm(64 * 1024, _read_printed)
PUT: Final = LineForm(8 * 1024 * 1024, _read_put)
"""A message has 1 MiB at most, and JSON makes at most six bytes of one of its."""
