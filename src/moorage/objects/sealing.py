"""Encryption at rest: AES-256-GCM in segments, so that a range is read without its neighbours.

Every blob has a data key of its own, wrapped by the server's key, which lives in one private file. A segment's nonce is
its number and whether it is the last: under a key used for one blob no nonce repeats, and segments can be neither
swapped, dropped nor cut off at the end without the tag failing.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moorage.objects.errors import Damaged
from moorage.system.entropy import new_secret
from moorage.system.files import write_durably

SEGMENT_BYTES = 64 * 1024
SEALED_SEGMENT_BYTES = SEGMENT_BYTES + 16
_KEY_BYTES = 32
_NONCE_BYTES = 12


class ServerKey:
    """The key that wraps data keys. Whoever has it and the folder can read everything; without it nobody can."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def wrap(self, blob_id: str, data_key: bytes) -> bytes:
        """The data key encrypted, and bound to the one blob it is for."""
        nonce = new_secret(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data_key, blob_id.encode())

    def unwrap(self, blob_id: str, wrapped: bytes) -> bytes:
        """Raises Damaged if it was not wrapped by this key for this blob."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], blob_id.encode())
        except InvalidTag:
            raise Damaged(f"the data key of blob {blob_id} does not fit the server's key") from None


def load_server_key(path: Path, *, index: Path) -> ServerKey:
    """The server's key from its file, which is made (mode 0600) for a store that has no `index` yet.

    Raises OSError, ValueError. A new key beside an old index would make what was encrypted unreadable without a word.
    """
    if not path.exists():
        if index.exists():
            raise ValueError(f"{path} is missing, and what is encrypted in {index.parent} cannot be read without it")
        write_durably(path, new_secret(_KEY_BYTES))
    return ServerKey(path.read_bytes())


def new_data_key() -> bytes:
    """A key for one blob."""
    return new_secret(_KEY_BYTES)


class SegmentCipher:
    """Seals and opens the segments of one blob."""

    def __init__(self, data_key: bytes) -> None:
        self._cipher = AESGCM(data_key)

    def seal(self, number: int, segment: bytes, *, is_last: bool) -> bytes:
        """`segment` encrypted, with its tag behind it."""
        return self._cipher.encrypt(_nonce(number, is_last=is_last), segment, None)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """The segment as it was. Raises Damaged."""
        try:
            return self._cipher.decrypt(_nonce(number, is_last=is_last), sealed, None)
        except InvalidTag:
            raise Damaged(f"segment {number} of a blob was altered") from None


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NONCE_BYTES - 1, "big") + bytes([is_last])
