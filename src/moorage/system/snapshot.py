"""The published route table as a signed file, from which alone a gateway can start.

The file is one line with the format's name and the HMAC-SHA256 of the rest in hexadecimal, then the table as JSON. It
holds the secrets of access keys, so it is written with mode 0600 and its errors never quote it. A change of the
table's shape that an older reader would misread takes a new format name.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import msgspec

from moorage.core.routes import RouteTable
from moorage.system.files import write_durably

_FORMAT = b"moorage-routes-1"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RouteTable)


class SnapshotInvalid(Exception):
    """The file is missing, damaged, of another format, or signed with another key."""


def write_snapshot(path: Path, table: RouteTable, *, key: bytes) -> None:
    """Replace the snapshot at `path` durably: a reader sees the old table or the new one. Raises OSError."""
    payload = _encoder.encode(table)
    write_durably(path, b"%b %b\n%b" % (_FORMAT, _sign(payload, key), payload))


def read_snapshot(path: Path, *, key: bytes) -> RouteTable:
    """The table that was written with the same `key`. Nothing is parsed before the signature has been checked.

    Raises SnapshotInvalid, with a sentence that names the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotInvalid(f"{path} cannot be read: {error.strerror}") from error
    head, _, payload = content.partition(b"\n")
    name, _, signature = head.partition(b" ")
    if name != _FORMAT:
        raise SnapshotInvalid(f"{path} is not a route snapshot that this version of Moorage can read")
    if not hmac.compare_digest(signature, _sign(payload, key)):
        raise SnapshotInvalid(f"{path} is damaged or was signed with another key")
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise SnapshotInvalid(f"{path} does not hold a route table") from error


def _sign(payload: bytes, key: bytes) -> bytes:
    return hmac.new(key, _FORMAT + payload, hashlib.sha256).hexdigest().encode()
