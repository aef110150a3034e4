"""Tokens between two pages of a list.

A token says where the next page goes on. It is authenticated, so that it arrives as it left, and bound to the list that
it was made for: its region and whatever it was narrowed by, though not the size of the page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

_MAC_BYTES = 16


class WrongToken(Exception):
    """A token that this list has not given."""


class PageTokens:
    """Makes and reads `NextToken`s with a key that only the server knows.

    `bound` is whatever tells one list from another, and `position` where the next page begins; both are of what JSON
    can say.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, bound: Any, position: Any) -> str:
        """The token for the page at `position` of the list `bound`."""
        encoded = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(bound, encoded) + encoded).decode()

    def open(self, bound: Any, token: str) -> Any:
        """The position that `seal` was given. Raises WrongToken."""
        try:
            sealed = base64.urlsafe_b64decode(token.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            raise WrongToken from None
        mac, encoded = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(bound, encoded)):
            raise WrongToken
        return msgspec.json.decode(encoded)

    def _mac(self, bound: Any, encoded: bytes) -> bytes:
        return hmac.digest(self._key, msgspec.json.encode((bound, encoded)), hashlib.sha256)[:_MAC_BYTES]
