"""Tokens between two pages of log events.

They carry positions only, which are compared and bounded and never looked up, so they need no authentication.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

import msgspec

from moorage.api.logs.errors import invalid_token
from moorage.telemetry.logs import Cursor

_POSITION: Final = re.compile(r"([fb])/(\d{1,18})")


class _Search(NamedTuple):
    is_descending: bool
    cursor: Cursor


_SEARCH: Final = msgspec.json.Decoder(_Search)


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


def search_token(cursor: Cursor, *, is_descending: bool) -> str:
    """For what a search in that order has not come to yet."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_Search(is_descending, cursor))).decode()


def read_search(token: str) -> tuple[bool, Cursor]:
    """Whether a search is in descending order, and how far it has come. Raises InvalidParameterException."""
    try:
        read = _SEARCH.decode(base64.urlsafe_b64decode(token.encode("ascii")))
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError):
        raise invalid_token() from None
    return read.is_descending, read.cursor
