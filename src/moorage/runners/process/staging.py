"""What a launch brings of model data: kept by digest in the instance's folder until it is a folder of `models`.

There an archive is a file, anything else a folder of its files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from moorage.core.model import DataForm
from moorage.runners.base import ContainerFiles, ModelFiles


class ContainerData(msgspec.Struct, frozen=True):
    """The digests of what one container finds. See `ContainerFiles`."""

    model: str | None = None
    channels: dict[str, str] = {}
    code: str | None = None

    @property
    def digests(self) -> frozenset[str]:
        """All of them."""
        return frozenset(digest for digest in (self.model, self.code, *self.channels.values()) if digest is not None)


def data_of(files: Sequence[ContainerFiles]) -> tuple[ContainerData, ...]:
    """What is remembered of the files of each container."""
    return tuple(
        ContainerData(
            model=container.model.digest if container.model else None,
            channels={name: channel.digest for name, channel in container.channels},
            code=container.code.digest if container.code else None,
        )
        for container in files
    )


def stage(folder: Path, containers: Iterable[ContainerFiles]) -> None:
    """Link all of it into `folder`, or copy it from another file system. Blocks. Raises OSError."""
    folder.mkdir(mode=0o700)
    for files in {files.digest: files for container in containers for files in container.all}.values():
        if files.form is DataForm.ARCHIVE:
            _link_or_copy(files.files[0].path, folder / files.digest)
        else:
            _stage_tree(folder / files.digest, files)


def _stage_tree(root: Path, files: ModelFiles) -> None:
    for parent in sorted({(root / file.name).parent for file in files.files}):
        parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    for file in files.files:
        _link_or_copy(file.path, root / file.name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:  # another file system, or a kernel that protects other users' files from links
        shutil.copyfile(source, target)
        target.chmod(0o444)
