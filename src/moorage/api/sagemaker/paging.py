"""Lists in pages: from a request's filters to a query of the store, and the token between two pages.

A token says where the next page goes on. It is authenticated, so that it reaches the store as it left, and bound to the
list it was made for: filters, order and region, though not the size of the page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NotRequired, TypedDict

import msgspec

from moorage.api.sagemaker.errors import invalid
from moorage.aws.errors import ServiceError
from moorage.store.base import ListQuery

PAGE_DEFAULT: Final = 10
_MAC_BYTES: Final = 16
_AFTER: Final = msgspec.json.Decoder(tuple[str, str])


class PageTokens:
    """Makes and reads `NextToken`s with a key that only the server knows.

    `kind` tells one sort of list from another.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def query(self, kind: str, request: Mapping[str, Any], *, region: str) -> ListQuery:
        """The page that a List request asks for. Raises ValidationException for a token not made for this list."""
        query = read_query(request, region)
        token = request.get("NextToken")
        return query if token is None else replace(query, after=self._open(kind, query, token))

    def next(self, kind: str, query: ListQuery, *, after: tuple[str, str] | None) -> _NextToken:
        """The answer's `NextToken` for the page behind `after`; nothing at the end of the list."""
        if after is None:
            return {}
        position = msgspec.json.encode(after)
        return {"NextToken": base64.urlsafe_b64encode(self._mac(kind, query, position) + position).decode()}

    def _open(self, kind: str, query: ListQuery, token: str) -> tuple[str, str]:
        try:
            sealed = base64.urlsafe_b64decode(token.encode("ascii"))
        except (UnicodeEncodeError, binascii.Error):
            raise _wrong_token() from None
        mac, position = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(kind, query, position)):
            raise _wrong_token()
        return _AFTER.decode(position)

    def _mac(self, kind: str, query: ListQuery, position: bytes) -> bytes:
        bound = msgspec.json.encode((kind, replace(query, limit=0, after=None), position))
        return hmac.digest(self._key, bound, hashlib.sha256)[:_MAC_BYTES]


class _NextToken(TypedDict):
    NextToken: NotRequired[str]


def _wrong_token() -> ServiceError:
    return invalid("NextToken is not one that this list gave. Repeat the request without it to start anew.")


def read_query(request: Mapping[str, Any], region: str) -> ListQuery:
    """The query a List request asks for, but for its token. SageMaker's defaults: ten, newest first."""
    return ListQuery(
        region=region,
        limit=request.get("MaxResults", PAGE_DEFAULT),
        sort_by=request.get("SortBy", "CreationTime"),
        ascending=request.get("SortOrder") == "Ascending",
        name_contains=request.get("NameContains") or None,
        created_before=request.get("CreationTimeBefore"),
        created_after=request.get("CreationTimeAfter"),
        modified_before=request.get("LastModifiedTimeBefore"),
        modified_after=request.get("LastModifiedTimeAfter"),
        status=request.get("StatusEquals"),
    )
