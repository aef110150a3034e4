"""Conditional requests: from header fields to the store's conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moorage.api.s3.attributes import unquoted
from moorage.api.s3.errors import not_implemented
from moorage.objects.conditions import ReadCondition, WriteCondition


def read_condition(request: Mapping[str, Any]) -> ReadCondition:
    """The condition of a read."""
    return _condition(request, "")


def copy_condition(request: Mapping[str, Any]) -> ReadCondition:
    """The condition on the source of a copy."""
    return _condition(request, "CopySource")


def write_condition(request: Mapping[str, Any]) -> WriteCondition:
    """The condition of a write. Raises ServiceError(NotImplemented) for an If-None-Match other than `*`, as S3 does."""
    none_match, match = request.get("IfNoneMatch"), request.get("IfMatch")
    if none_match not in (None, "*"):
        raise not_implemented("If-None-Match with an entity tag")
    return WriteCondition(None if match is None else unquoted(match), none_match is not None)


def _condition(request: Mapping[str, Any], start: str) -> ReadCondition:
    return ReadCondition(
        if_match=_etags(request.get(f"{start}IfMatch")),
        if_none_match=_etags(request.get(f"{start}IfNoneMatch")),
        if_modified_since=request.get(f"{start}IfModifiedSince"),
        if_unmodified_since=request.get(f"{start}IfUnmodifiedSince"),
    )


def _etags(header: str | None) -> Sequence[str] | None:
    return None if header is None else [unquoted(etag) for etag in header.split(",")]
