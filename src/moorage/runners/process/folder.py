"""An instance's folder: the record of what it shall be, and the folders of its processes.

    record.json       what the agent knows; written before anything is done, replaced at every change
    data/             what the launch brought of model data, until it is in place: see `staging`
    containers/<n>/   the folder of each container's process, where there are several

Besides, it is the folder of the process that answers for the instance: the only container's, or the front's. A folder
appears and disappears by a rename, so one that can be seen has a record. Nothing here is synced to disk: the files
speak of processes, which a power cut ends too.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.model import InstanceSpec, InstanceState
from moorage.runners.base import ContainerFiles
from moorage.runners.process.process_folder import ProcessFolder
from moorage.runners.process.staging import ContainerData, stage
from moorage.system import entropy

_NEW: Final = ".new-"
_GONE: Final = ".gone-"


class Record(msgspec.Struct, frozen=True):
    """What the agent knows of an instance."""

    spec: InstanceSpec
    data: tuple[ContainerData, ...]
    """One a container."""
    state: InstanceState
    since: datetime
    reason: str | None = None
    forked_at: datetime | None = None
    """When the last fork was asked for: the start-up time runs from there."""
    boot_id: str | None = None
    """Of the kernel that forked it: another one's pids and start times speak of strangers."""
    diagnostics: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    """Folders of environments that its processes run from."""

    @property
    def digests(self) -> frozenset[str]:
        """Of all model data that the instance needs."""
        return frozenset[str]().union(*(container.digests for container in self.data))


class InstanceFolder(ProcessFolder):
    """The folder of one instance."""

    @property
    def data(self) -> Path:
        return self.path / "data"

    def containers(self, count: int) -> Sequence[ProcessFolder]:
        """The folders of its containers' processes: a lone one has the instance's own."""
        if count == 1:
            return (self,)
        return tuple(ProcessFolder(self.path / "containers" / str(number)) for number in range(1, count + 1))

    def count_containers(self) -> int:
        """How many containers it was made for, whatever the record says."""
        return len(list((self.path / "containers").glob("*"))) or 1

    def write(self, record: Record) -> None:
        """Replace the record."""
        self.replace("record.json", msgspec.json.encode(record))

    def read(self) -> Record | None:
        """The record; None if it is not readable, as after a power cut, or written by another version of Moorage."""
        try:
            return msgspec.json.decode((self.path / "record.json").read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def remove(self) -> None:
        """Make the folder vanish at once, then delete what was in it."""
        gone = self.path.parent / f"{_GONE}{self.path.name}-{entropy.new_uid()}"
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def create(parent: Path, record: Record, files: Sequence[ContainerFiles]) -> InstanceFolder:
    """Make an instance's folder with record and model data, which is linked, or copied from another file system.

    Raises OSError.
    """
    path = parent / f"{_NEW}{record.spec.id}-{entropy.new_uid()}"
    fresh = InstanceFolder(path)
    containers = fresh.containers(len(record.spec.variant.containers))
    fresh.make()
    try:
        for folder in containers[1:] and containers:
            folder.make()
        stage(fresh.data, files)
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
