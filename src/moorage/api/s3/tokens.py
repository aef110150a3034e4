"""Continuation tokens: where a list goes on, opaque to the caller and believed only if we made them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from moorage.api.s3.errors import invalid_argument

_TAG_BYTES = 16


class Tokens:
    """Makes and reads tokens under a key. A token is good for the one list (`scope`) it was made in."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, scope: str, place: str) -> str:
        """A token for `place`."""
        content = place.encode()
        return base64.urlsafe_b64encode(self._tag(scope, content) + content).decode("ascii")

    def read(self, scope: str, token: str) -> str:
        """The place. Raises ServiceError(InvalidArgument) for a token that was not made here for this list."""
        try:
            raw = base64.urlsafe_b64decode(token)
        except (binascii.Error, ValueError):
            raise _incorrect(token) from None
        tag, content = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(scope, content)):
            raise _incorrect(token)
        return content.decode()

    def _tag(self, scope: str, content: bytes) -> bytes:
        message = scope.encode() + b"\0" + content
        return hmac.digest(self._key, message, hashlib.sha256)[:_TAG_BYTES]


def _incorrect(token: str) -> Exception:
    return invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
