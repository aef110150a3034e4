"""An instance's folder: the record of what it shall be, the lock it holds for life, what it was told and what it said.

    record.json    what the agent knows; written before anything is done, replaced at every change
    lock           the claim: see `moorage.runtime.claim`, which holds the other end of it
    launch.json    what the instance is told
    failure.txt    why the model can never be served, written by the instance
    archive        its model data, until unpacked
    work/          current directory and temporary files; work/model stands in for model data where there is none

A folder appears and disappears by a rename, so one that can be seen has a record. Nothing here is synced to disk: the
files speak of processes, which a power cut ends too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.core.model import InstanceId, InstanceSpec, InstanceState
from moorage.runners.process.procfs import Identity
from moorage.system import entropy

_NEW: Final = ".new-"
_GONE: Final = ".gone-"


class Record(msgspec.Struct, frozen=True):
    """What the agent knows of an instance."""

    spec: InstanceSpec
    digest: str | None
    state: InstanceState
    since: datetime
    reason: str | None = None
    forked_at: datetime | None = None
    """When the last fork was asked for: the start-up time runs from there."""
    boot_id: str | None = None
    """Of the kernel that forked it: another one's pids and start times speak of strangers."""
    diagnostics: tuple[str, ...] = ()


class Claim(msgspec.Struct, frozen=True):
    """What the lock says: the process that claimed the instance, and whether it still holds on."""

    identity: Identity | None
    is_held: bool


class InstanceFolder:
    """The folder of one instance."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = path / "archive"
        self.work = path / "work"

    def write(self, record: Record) -> None:
        """Replace the record."""
        self._replace("record.json", msgspec.json.encode(record))

    def read(self) -> Record | None:
        """The record; None if it is not readable, as after a power cut."""
        try:
            return msgspec.json.decode((self.path / "record.json").read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def failure(self) -> str | None:
        """What the instance says is wrong with its model."""
        try:
            return (self.path / "failure.txt").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def open_claim(self, launch: dict[str, Any]) -> str:
        """Let one child become the instance, and none that was forked before; answers its token."""
        token = entropy.new_uid()
        (self.path / "failure.txt").unlink(missing_ok=True)
        self._replace("launch.json", msgspec.json.encode(launch))
        self._replace("lock", token.encode() + b"\n")
        return token

    def close_claim(self) -> Claim:
        """Who claimed the instance. If nobody holds it, from now on nobody can."""
        path = self.path / "lock"
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return Claim(None, is_held=False)
        try:
            identity = _identity(os.pread(lock, 256, 0))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Claim(_identity(os.pread(lock, 256, 0)), is_held=True)
            path.unlink()
            return Claim(identity, is_held=False)
        finally:
            os.close(lock)

    def remove(self) -> None:
        """Make the folder vanish at once, then delete what was in it."""
        gone = self.path.parent / f"{_GONE}{self.path.name}-{entropy.new_uid()}"
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _replace(self, name: str, data: bytes) -> None:
        fresh = self.path / f".{name}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
        fresh.rename(self.path / name)


def create(parent: Path, record: Record, archive: Path | None) -> InstanceFolder:
    """Make an instance's folder with record and archive; the archive is linked, or copied from another file system.

    Raises OSError.
    """
    path = parent / f"{_NEW}{record.spec.id}-{entropy.new_uid()}"
    fresh = InstanceFolder(path)
    fresh.work.joinpath("model").mkdir(parents=True, mode=0o700)
    try:
        if archive is not None:
            _link_or_copy(archive, fresh.archive)
        fresh.write(record)
        path.rename(parent / record.spec.id)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return InstanceFolder(parent / record.spec.id)


def find_all(parent: Path) -> Iterator[InstanceFolder]:
    """Every instance's folder. What was being made or removed when an agent died is removed."""
    for path in sorted(parent.iterdir()):
        if path.name.startswith((_NEW, _GONE)):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith("i-"):
            yield InstanceFolder(path)


def folder_of(parent: Path, instance: InstanceId) -> InstanceFolder:
    """Where the folder of `instance` is, if there is one."""
    return InstanceFolder(parent / instance)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or a kernel that protects other users' files from links
        shutil.copyfile(source, target)


def _identity(lines: bytes) -> Identity | None:
    """The second and third line, once the child has written them."""
    parts = lines.decode().splitlines()
    return Identity(int(parts[1]), int(parts[2])) if len(parts) == 3 and lines.endswith(b"\n") else None
