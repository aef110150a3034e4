"""Conditions on reads and writes: pure functions of what is there and what the caller expects to be there.

Sources: RFC 9110 §13 for the order of evaluation; S3's conditional writes for what a missing object answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from moorage.objects.errors import Reason, Rejected
from moorage.objects.records import ObjectVersion

ANY = "*"


@dataclass(frozen=True, slots=True)
class ReadCondition:
    """Entity tags are unquoted; `*` stands for any. None: not asked."""

    if_match: Sequence[str] | None = None
    if_none_match: Sequence[str] | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteCondition:
    """`if_match`: the current object has this entity tag. `if_none_match`: there is no current object."""

    if_match: str | None = None
    if_none_match: bool = False


UNCONDITIONAL = WriteCondition()


def check_read(version: ObjectVersion, condition: ReadCondition) -> None:
    """Raises Rejected(PRECONDITION_FAILED, NOT_MODIFIED). Times count in whole seconds, as they travel."""
    modified_at = version.modified_at.replace(microsecond=0)
    if condition.if_match is not None:
        if not _matches(version.etag, condition.if_match):
            raise Rejected(Reason.PRECONDITION_FAILED, condition="If-Match")
    elif condition.if_unmodified_since is not None and modified_at > condition.if_unmodified_since:
        raise Rejected(Reason.PRECONDITION_FAILED, condition="If-Unmodified-Since")
    if condition.if_none_match is not None:
        if _matches(version.etag, condition.if_none_match):
            raise Rejected(Reason.NOT_MODIFIED, version=version, condition="If-None-Match")
    elif condition.if_modified_since is not None and modified_at <= condition.if_modified_since:
        raise Rejected(Reason.NOT_MODIFIED, version=version, condition="If-Modified-Since")


def check_write(key: str, current: ObjectVersion | None, condition: WriteCondition) -> None:
    """Raises Rejected(PRECONDITION_FAILED), or NO_SUCH_KEY where `if_match` finds nothing, as a delete marker is."""
    exists = current is not None and not current.is_delete_marker
    if condition.if_none_match and exists:
        raise Rejected(Reason.PRECONDITION_FAILED, condition="If-None-Match")
    if condition.if_match is None:
        return
    if current is None or not exists:
        raise Rejected(Reason.NO_SUCH_KEY, key=key)
    if condition.if_match not in (ANY, current.etag):
        raise Rejected(Reason.PRECONDITION_FAILED, condition="If-Match")


def _matches(etag: str, wanted: Sequence[str]) -> bool:
    return ANY in wanted or etag in wanted
