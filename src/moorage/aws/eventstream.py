"""`application/vnd.amazon.eventstream`, as a service sends it: messages of headers and a payload, each with checksums.

A message is its length, the length of its headers, the CRC-32 of these eight bytes, the headers, the payload, and the
CRC-32 of all before. The layout and the meaning of the `:` headers are those of Smithy's page *Amazon Event Stream
Specification*; only headers of type string are made, since no other is needed. Reading messages does not belong here:
clients do that, botocore in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any, Final
from zlib import crc32

import msgspec

MEDIA_TYPE: Final = "application/vnd.amazon.eventstream"

_STRING: Final = 7
_CHECKSUM_BYTES: Final = 4
_PRELUDE_BYTES: Final = 12
_LENGTHS = Struct("!II")
_CHECKSUM = Struct("!I")


def event_headers(event_type: str, content_type: str) -> bytes:
    """The headers of an event, encoded once for all messages of its type."""
    return headers({":event-type": event_type, ":content-type": content_type, ":message-type": "event"})


def headers(fields: Mapping[str, str]) -> bytes:
    """String headers, encoded. A name takes at most 255 bytes, a value 65,535. Raises OverflowError, if longer."""
    return b"".join(_header(name.encode(), value.encode()) for name, value in fields.items())


def message(encoded_headers: bytes, payload: bytes | memoryview) -> bytes:
    """One message. Clients take at most 24 MiB of payload (botocore), some 16 MiB."""
    total = _PRELUDE_BYTES + len(encoded_headers) + len(payload) + _CHECKSUM_BYTES
    lengths = _LENGTHS.pack(total, len(encoded_headers))
    start = lengths + _CHECKSUM.pack(crc32(lengths)) + encoded_headers
    return b"".join((start, payload, _CHECKSUM.pack(crc32(payload, crc32(start)))))


def exception(name: str, members: Mapping[str, Any]) -> bytes:
    """A modelled error as the stream's last message: `name` is its member of the stream's union."""
    fields = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers(fields), msgspec.json.encode(members))


def _header(name: bytes, value: bytes) -> bytes:
    return b"%b%b%b%b%b" % (
        len(name).to_bytes(1, "big"),
        name,
        _STRING.to_bytes(1, "big"),
        len(value).to_bytes(2, "big"),
        value,
    )
