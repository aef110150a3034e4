"""Where log groups and streams lie below the log folder.

    <region>/<endpoint>/<variant>/<instance>.log               what an instance prints: a stream of the endpoint's group
    <region>/<endpoint>/<variant>/<instance>/<container>.log   what one of its several containers prints
    <region>/.groups/<digest>/<digest>.log, .json              a stream that somebody made, of any group; its name

Names from outside reach the file system as digests, or after they have matched a pattern without dots and slashes.
Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.names import LOG_GROUP_PREFIX, log_group
from moorage.system.files import write_durably
from moorage.telemetry.log_lines import PRINTED, PUT, LineForm

_OWN: Final = ".groups"
_LOGS: Final = ("*.log", "*/*.log")
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,63}")
_PRINTED_NAME: Final = re.compile(rf"{_NAME.pattern}(/{_NAME.pattern}){{1,2}}")


class StreamExists(Exception):
    """There is a stream of that name."""


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A stream's file. `created_ms` is None of what an instance prints: it began with its first line."""

    name: str
    path: Path
    form: LineForm
    created_ms: int | None = None

    @property
    def is_printed(self) -> bool:
        """Whether an instance writes it, and nobody else may."""
        return self.form is PRINTED


class _Label(msgspec.Struct, frozen=True):
    name: str
    created_ms: int


class LogPlaces:
    """The streams below `root`, by region, group and name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def printed_groups(self, region: str) -> list[str]:
        """The groups of endpoints whose instances have printed something, by name."""
        return [log_group(endpoint) for endpoint in _names(self._root / region)] if _NAME.fullmatch(region) else []

    def has_printed(self, region: str, group: str) -> bool:
        """Whether it is one of these."""
        folder = self._printed(region, group)
        return folder is not None and folder.is_dir()

    def streams(self, region: str, group: str) -> dict[str, StreamFile]:
        """The streams of a group by name, in order."""
        found = [*self._printed_streams(region, group), *self._own_streams(region, group)]
        return {stream.name: stream for stream in sorted(found, key=lambda stream: stream.name)}

    def stream(self, region: str, group: str, name: str) -> StreamFile | None:
        """The stream of that name."""
        folder = self._printed(region, group)
        if folder is not None and _PRINTED_NAME.fullmatch(name) and (path := folder / f"{name}.log").is_file():
            return StreamFile(name, path, PRINTED)
        if not _NAME.fullmatch(region):
            return None
        return _own_stream(self._own(region, group) / f"{_digest(name)}.json")

    def all_files(self) -> Iterator[Path]:
        """The files of all streams."""
        for region in _names(self._root):
            folder = self._root / region
            yield from (folder / _OWN).glob("*/*.log")
            for endpoint in _names(folder):
                yield from (path for path, _ in _printed_files(folder / endpoint))

    def form_of(self, path: Path) -> LineForm:
        """Of one of these files."""
        return PUT if path.relative_to(self._root).parts[1] == _OWN else PRINTED

    def create(self, region: str, group: str, stream: str, *, now_ms: int) -> None:
        """Make an empty stream. Raises StreamExists."""
        if self.stream(region, group, stream) is not None:
            raise StreamExists(stream)
        folder = self._own(region, group)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{_digest(stream)}.log"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        write_durably(path.with_suffix(".json"), msgspec.json.encode(_Label(stream, now_ms)))

    def remove(self, stream: StreamFile) -> None:
        """Remove a stream, and the folders of an endpoint that are empty then."""
        stream.path.with_suffix(".json").unlink(missing_ok=True)
        stream.path.unlink(missing_ok=True)
        if stream.is_printed:
            self.tidy(stream.path)

    def tidy(self, path: Path) -> None:
        """Remove the folders above a file of an instance that are empty."""
        for folder in path.parents:
            if folder.parent == self._root:
                return
            with contextlib.suppress(OSError):
                folder.rmdir()

    def remove_own(self, region: str, group: str) -> None:
        """Remove all streams of a group that somebody made."""
        shutil.rmtree(self._own(region, group), ignore_errors=True)

    def _printed(self, region: str, group: str) -> Path | None:
        endpoint = group.removeprefix(LOG_GROUP_PREFIX)
        if endpoint == group or not (_NAME.fullmatch(region) and _NAME.fullmatch(endpoint)):
            return None
        return self._root / region / endpoint

    def _printed_streams(self, region: str, group: str) -> Iterator[StreamFile]:
        folder = self._printed(region, group)
        if folder is not None:
            for path, name in _printed_files(folder):
                yield StreamFile(name, path, PRINTED)

    def _own(self, region: str, group: str) -> Path:
        return self._root / region / _OWN / _digest(group)

    def _own_streams(self, region: str, group: str) -> Iterator[StreamFile]:
        if not _NAME.fullmatch(region):
            return
        for path in self._own(region, group).glob("*.json"):
            stream = _own_stream(path)
            if stream is not None:
                yield stream


def _own_stream(label_path: Path) -> StreamFile | None:
    """The stream whose name is in the file; None if there is none, or it has just gone."""
    try:
        label = msgspec.json.decode(label_path.read_bytes(), type=_Label)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return StreamFile(label.name, label_path.with_suffix(".log"), PUT, label.created_ms)


def _printed_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files of an endpoint's folder, each with its stream's name."""
    for variant in _names(folder):
        for pattern in _LOGS:
            for path in (folder / variant).glob(pattern):
                yield path, str(path.relative_to(folder).with_suffix(""))


def _names(folder: Path) -> list[str]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(entry.name for entry in entries if _NAME.fullmatch(entry.name) and entry.is_dir())


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]
