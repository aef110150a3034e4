"""What lies below the folder of environments: telling it, and removing what is not needed.

An environment is removed by hand, or when all of them together take more than they may: then the one that has been
unwanted the longest goes first. Age alone is no reason, since a machine without a network could not build it again.
What an instance runs from is never removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moorage.runners.process.environments.build import NEW, read_record
from moorage.runners.process.environments.travel import RUNTIME_PREFIX
from moorage.system import entropy

CACHE_NAME: Final = ".cache"
OVERLAYS_NAME: Final = "overlays"
_GONE: Final = ".gone-"


@dataclass(frozen=True, slots=True)
class Stored:
    """An environment, or an overlay."""

    path: Path
    title: str
    size_bytes: int
    """Of its files. Those that are hard links into uv's cache, or into it from elsewhere, take no room twice."""
    wanted_at: float
    """When an instance was last started in it: POSIX seconds."""

    @property
    def name(self) -> str:
        """What it is called in commands."""
        return self.path.name


def sweep(root: Path, *, keep: Set[Path]) -> None:
    """Remove what a dead agent left half done, and what is of no use: nothing that is in `keep`.

    Of no use are environments whose interpreter is gone, and copies of the runtime from before this agent.
    """
    for folder in (root, root / OVERLAYS_NAME):
        for path in _folders(folder):
            if path.name.startswith((NEW, _GONE)):
                shutil.rmtree(path, ignore_errors=True)
    for path in _folders(root):
        is_copy = path.name.startswith(RUNTIME_PREFIX)
        if path not in keep and path.name != OVERLAYS_NAME and (is_copy or read_record(path) is None):
            remove(path)


def take_stock(root: Path) -> list[Stored]:
    """Everything but uv's cache, the longest unwanted first."""
    found = [
        *(_stored(path, record.title) for path in _folders(root) if (record := read_record(path)) is not None),
        *(_stored(path, "a model's requirements.txt") for path in _folders(root / OVERLAYS_NAME)),
    ]
    return sorted(found, key=lambda stored: stored.wanted_at)


def prune(root: Path, *, keep: Set[Path], bytes_max: int, wanted_before: float) -> list[Stored]:
    """Remove until the rest is no more than `bytes_max`, but nothing in `keep` or wanted since; answers what went."""
    stock = take_stock(root)
    excess = sum(stored.size_bytes for stored in stock) - bytes_max
    removed = []
    for stored in stock:
        if excess <= 0:
            break
        if stored.path not in keep and stored.wanted_at < wanted_before:
            remove(stored.path)
            removed.append(stored)
            excess -= stored.size_bytes
    return removed


def remove(path: Path) -> None:
    """Make it vanish at once, then delete what was in it."""
    gone = path.with_name(f"{_GONE}{entropy.new_uid()}")
    try:
        path.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files below it."""
    total = 0
    for _, _, files, descriptor in os.fwalk(folder):
        for name in files:
            total += os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_size
    return total


def _stored(path: Path, title: str) -> Stored:
    return Stored(path, title, size_of(path), path.stat().st_mtime)


def _folders(parent: Path) -> Iterator[Path]:
    try:
        found = sorted(parent.iterdir())
    except FileNotFoundError:
        return
    yield from (path for path in found if path.is_dir() and path.name != CACHE_NAME)
