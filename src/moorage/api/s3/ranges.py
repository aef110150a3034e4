"""The part of an object that a request asks for. Source: RFC 9110 §14, with one range at most, as S3 has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moorage.api.s3.errors import invalid_request
from moorage.aws.errors import ServiceError
from moorage.objects.records import Extent, ObjectVersion

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of an object."""

    start: int
    size: int

    def content_range(self, total: int) -> str:
        """The Content-Range of the slice of an object of `total` bytes."""
        return f"bytes {self.start}-{self.start + self.size - 1}/{total}"


def chosen_slice(version: ObjectVersion, extents: Sequence[Extent], request: Mapping[str, Any]) -> Slice | None:
    """The slice that a read asks for by `Range` or `PartNumber`; None for the whole object.

    Raises ServiceError(InvalidRange, InvalidPartNumber, InvalidRequest).
    """
    header, part_number = request.get("Range"), request.get("PartNumber")
    if header is not None and part_number is not None:
        raise invalid_request("Cannot specify both Range header and partNumber query parameter")
    if header is not None:
        return parse_range(header, version.size)
    if part_number is None:
        return None
    if not 1 <= part_number <= len(extents):
        raise ServiceError("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416)
    if version.size == 0:
        return None
    before = sum(extent.blob.size for extent in extents[: part_number - 1])
    return Slice(before, extents[part_number - 1].blob.size)


def parse_range(header: str, total: int) -> Slice | None:
    """The slice that `header` asks for, or None if the header is to be ignored.

    Raises ServiceError(InvalidRange) if nothing of the object lies in it.

    >>> parse_range("bytes=2-5", 10)
    Slice(start=2, size=4)
    >>> parse_range("bytes=-3", 10)
    Slice(start=7, size=3)
    >>> parse_range("bytes=8-99", 10)
    Slice(start=8, size=2)
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return _suffix(header, int(match[2]), total)
    start, end = int(match[1]), min(int(match[2] or total - 1), total - 1)
    if match[2] and int(match[2]) < start:
        return None
    if start >= total:
        raise _invalid_range(header, total)
    return Slice(start, end - start + 1)


def _suffix(header: str, size: int, total: int) -> Slice:
    if size == 0 or total == 0:
        raise _invalid_range(header, total)
    return Slice(max(total - size, 0), min(size, total))


def _invalid_range(header: str, total: int) -> ServiceError:
    return ServiceError(
        "InvalidRange",
        "The requested range is not satisfiable",
        status=416,
        members={"RangeRequested": header, "ActualObjectSize": total},
        headers={"Content-Range": f"bytes */{total}"},
    )
