"""Tokens between two pages of log events.

They carry positions only, which are compared and bounded and never looked up, so they need no authentication.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec

from moorage.api.logs.errors import invalid_token
from moorage.telemetry.logs import Cursor

_POSITION: Final = re.compile(r"([fb])/(\d{1,18})")
_CURSOR: Final = msgspec.json.Decoder(Cursor)


def forward_token(position: int) -> str:
    """For the lines behind `position`."""
    return f"f/{position:018d}"


def backward_token(position: int) -> str:
    """For the lines before `position`."""
    return f"b/{position:018d}"


def read_position(token: str) -> tuple[str, int]:
    """The direction (`f` or `b`) and the position. Raises InvalidParameterException."""
    match = _POSITION.fullmatch(token)
    if match is None:
        raise invalid_token()
    return match[1], int(match[2])


def cursor_token(cursor: Cursor) -> str:
    """For what a search has not come to yet."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def read_cursor(token: str) -> Cursor:
    """The inverse of `cursor_token`. Raises InvalidParameterException."""
    try:
        return _CURSOR.decode(base64.urlsafe_b64decode(token.encode("ascii")))
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError):
        raise invalid_token() from None
