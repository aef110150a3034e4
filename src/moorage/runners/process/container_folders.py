"""Where on this machine one container finds its model data, and getting it there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moorage.runners.process.models import ArchiveRefused, ModelFolders
from moorage.runners.process.staging import ContainerData


@dataclass(frozen=True, slots=True)
class ContainerFolders:
    """Read-only folders, shared by all that have the same data."""

    model: Path
    channels: Mapping[str, Path] = field(default_factory=dict)
    code: Path | None = None
    """What SAGEMAKER_SUBMIT_DIRECTORY names, if that lies in S3."""


def folders_of(data: ContainerData, models: ModelFolders, *, empty: Path) -> ContainerFolders:
    """The folders of `data`; `empty` stands in for a model without any."""
    return ContainerFolders(
        model=models.path_of(data.model) if data.model else empty,
        channels={name: models.path_of(digest) for name, digest in data.channels.items()},
        code=models.path_of(data.code) if data.code else None,
    )


async def unpack(data: ContainerData, staged: Path, models: ModelFolders) -> list[str]:
    """Have the folders of `data` made of what was staged; answers what was done, for the log.

    Raises ArchiveRefused, UnpackFailed.
    """
    return [done for what, digest in _wanted(data) if (done := await _unpack(what, staged / digest, models))]


async def _unpack(what: str, staged: Path, models: ModelFolders) -> str | None:
    try:
        done = await models.ensure(staged.name, staged)
    except ArchiveRefused as refused:
        raise ArchiveRefused(f"{what}{refused}") from refused
    await asyncio.to_thread(_remove, staged)
    return done and f"{what}{done}"


def _wanted(data: ContainerData) -> Iterator[tuple[str, str]]:
    """Digests, each with how to begin a sentence about it."""
    if data.model:
        yield "", data.model
    for name, digest in data.channels.items():
        yield f"channel {name}: ", digest
    if data.code:
        yield "SAGEMAKER_SUBMIT_DIRECTORY: ", data.code


def _remove(staged: Path) -> None:
    if staged.is_dir():
        shutil.rmtree(staged, ignore_errors=True)
    else:
        staged.unlink(missing_ok=True)
