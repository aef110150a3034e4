"""Objects below a prefix as files of a folder: which path each gets, and what may not be. Pure.

The rules for names are SageMaker's (botocore 1.43, S3ModelDataSource.S3DataType): an object's path is its key without
the prefix; no part of it is blank, `.`, `..`, longer than 255 bytes or holds a NUL; none is a file and a folder. But
what the S3 console leaves for a folder, an empty object whose key ends in a slash, fails there and is left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from moorage.objects.model_sources import FoundObject, Unreadable

OBJECTS_MAX: Final = 10_000
BYTES_MAX: Final = 1 << 40
DEPTH_MAX: Final = 32
PART_BYTES_MAX: Final = 255


def paths_below(prefix: str, found: Sequence[FoundObject]) -> Mapping[str, FoundObject]:
    """The objects by the path of each, `/` between its parts. Raises Unreadable: which key breaks which rule."""
    if len(found) > OBJECTS_MAX:
        raise Unreadable(f"there are more than {OBJECTS_MAX} objects below it")
    if sum(one.size for one in found) > BYTES_MAX:
        raise Unreadable(f"there are more than {BYTES_MAX >> 40} TiB below it")
    paths = {_path(one, one.location.key.removeprefix(prefix)): one for one in found if not _is_marker(one)}
    if not paths:
        raise Unreadable("there is no object below it")
    _check_clashes(paths)
    return paths


def file_name(one: FoundObject) -> str:
    """The name of the file that a single object becomes: the last part of its key. Raises Unreadable."""
    return _path(one, one.location.key.rpartition("/")[2])


def _is_marker(one: FoundObject) -> bool:
    return one.size == 0 and one.location.key.endswith("/")


def _path(one: FoundObject, path: str) -> str:
    parts = path.split("/")
    if len(parts) > DEPTH_MAX:
        raise Unreadable(f"the key {one.location.key!r} makes a file more than {DEPTH_MAX} folders deep")
    for part in parts:
        if fault := _fault(part):
            raise Unreadable(f"the key {one.location.key!r} makes a file or folder whose name is {fault}")
    return path


def _fault(part: str) -> str | None:
    if not part.strip():
        return "blank"
    if part in (".", ".."):
        return f"'{part}'"
    if "\0" in part:
        return "one with a NUL"
    if len(part.encode()) > PART_BYTES_MAX:
        return f"longer than {PART_BYTES_MAX} bytes"
    return None


def _check_clashes(paths: Mapping[str, FoundObject]) -> None:
    for path, one in paths.items():
        for folder in _folders_of(path):
            if folder in paths:
                clashing = paths[folder].location.key
                raise Unreadable(f"the key {clashing!r} makes a file where {one.location.key!r} makes a folder")


def _folders_of(path: str) -> Iterable[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
