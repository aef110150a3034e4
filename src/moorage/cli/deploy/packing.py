"""From what a user has (a model file, a folder, an archive) to SageMaker's model.tar.gz.

The archive is the same, byte for byte, whenever its content is the same: no times, owners or order of the disk get in.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from moorage.cli.deploy.frameworks import MODEL_SUFFIXES, is_model_file
from moorage.cli.failures import Failure

ARCHIVE_SUFFIXES: Final = (".tar.gz", ".tgz")
_LEFT_OUT: Final = frozenset({"__pycache__", ".git", ".ipynb_checkpoints"})
_ACCEPTED: Final = f"a model file ({', '.join(MODEL_SUFFIXES)}), a folder, or a .tar.gz archive"


@dataclass(frozen=True, slots=True)
class Packed:
    """A model archive on disk."""

    path: Path
    size_bytes: int
    digest: str
    """SHA-256 of the archive, in hexadecimal."""


def pack(source: Path, target: Path) -> Packed:
    """Write the archive of `source` to `target`. Raises Failure when `source` is nothing that can be deployed."""
    if is_archive(source):
        _check_archive(source)
        shutil.copyfile(source, target)
    else:
        _write_archive(list(_members(source)), target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Packed(target, target.stat().st_size, digest)


def is_archive(source: Path) -> bool:
    """Whether `source` is named like a finished archive."""
    return source.is_file() and source.name.endswith(ARCHIVE_SUFFIXES)


def _members(source: Path) -> Iterator[tuple[str, Path]]:
    if source.is_dir():
        yield from _folder_members(source)
    elif is_model_file(source):
        yield source.name, source
    else:
        raise Failure(f"{source} cannot be deployed: give {_ACCEPTED}.")


def _folder_members(folder: Path) -> Iterator[tuple[str, Path]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    wanted = [path for path in files if not _LEFT_OUT.intersection(path.relative_to(folder).parts)]
    if not wanted:
        raise Failure(f"{folder} has no files: put the model in it, and its code in code/inference.py.")
    for path in wanted:
        yield path.relative_to(folder).as_posix(), path


def _write_archive(members: list[tuple[str, Path]], target: Path) -> None:
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in sorted(members):
            with path.open("rb") as content:
                archive.addfile(_header(name, content), content)


def _header(name: str, content: BinaryIO) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = content.seek(0, 2)
    content.seek(0)
    header.mode = 0o644
    return header


def _check_archive(path: Path) -> None:
    try:
        with tarfile.open(path, "r:gz") as archive:
            archive.next()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Failure(f"{path} is not a gzip-compressed tar archive ({error}): give {_ACCEPTED}.") from error
