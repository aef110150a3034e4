"""A mount namespace in which the file system looks as a `View` says. The host's own file system is never touched.

Hiding a folder is mounting an empty one over it. What must be seen below a hidden one is mounted back into it, from
descriptors opened before: so the way there need not be open to the instance's user, which matters in a home with
mode 0700. What the interpreter runs from is always kept.
"""

from __future__ import annotations

import functools
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moorage.runtime.sandbox import kernel
from moorage.runtime.sandbox.plan import Place, View

_SAFE: Final = kernel.MS_NOSUID | kernel.MS_NODEV
_VEIL: Final = "mode=755,size=1m"
_KEPT_BY_REMOUNT: Final = kernel.MS_NOSUID | kernel.MS_NODEV | 0x8
"""And MS_NOEXEC. In a user namespace none of the host's may be taken away; statvfs has the same numbers for them."""


@dataclass(frozen=True, slots=True)
class _Opened:
    place: Place
    descriptor: int
    is_folder: bool


def enter_view(view: View, *, owner: int) -> None:
    """Make this process's mount namespace, which must be its own already, look like the view. Raises OSError.

    `owner` is the user that scratch folders belong to.
    """
    kernel.mount(None, "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kept = [Place(path, path) for path in interpreter_paths()]
    hidden = {*view.hidden, *_closed_parents()}
    kept += _siblings_kept(view.scratch, hidden)
    needed = [place for place in kept if _is_below(place.target, hidden)]
    opened = [_open(place) for place in [*needed, *view.places] if os.path.lexists(place.source)]
    umask = os.umask(0o022)  # the way to a place below a hidden folder is for the instance's user, too
    _mount_all(sorted(hidden), view.scratch, opened, owner)
    os.umask(umask)


def prepare() -> None:
    """Find out what is the same for every child, before any is forked."""
    _closed_parents()


@functools.cache
def interpreter_paths() -> tuple[str, ...]:
    """Where this interpreter finds its modules and libraries, links resolved and not, none below another."""
    named = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path} - {"", "/"}
    there = {path for name in named for path in (os.path.abspath(name), os.path.realpath(name)) if os.path.exists(path)}
    return tuple(sorted(path for path in there if not _is_below(path, there - {path})))


@functools.cache
def _closed_parents() -> frozenset[str]:
    """The topmost folder on the way to each of them that only its owner may pass through."""
    found: set[str] = set()
    for path in interpreter_paths():
        for parent in reversed(Path(path).parents):
            if not parent.stat().st_mode & stat.S_IXOTH:
                found.add(str(parent))
                break
    return frozenset(found)


def _siblings_kept(scratch: Iterable[str], hidden: set[str]) -> list[Place]:
    """What else is in the folders that are covered so that scratch folders the host does not have can be made there."""
    kept: list[Place] = []
    for path in scratch:
        if not os.path.isdir(path) and not _is_below(path, hidden):
            parent = str(next(parent for parent in Path(path).parents if parent.is_dir()))
            hidden.add(parent)
            kept += [Place(str(entry), str(entry)) for entry in Path(parent).iterdir()]
    return kept


def _mount_all(hidden: list[str], scratch: Iterable[str], opened: list[_Opened], owner: int) -> None:
    """Folders before what is in them, whatever is to be done with each."""
    veils = []
    covered = {one.place.target for one in opened}
    todo: list[tuple[str, str | _Opened]] = [(path, "hide") for path in hidden if path not in covered]
    todo += [(path, "scratch") for path in scratch]
    todo += [(one.place.target, one) for one in opened]
    for path, what in sorted(todo, key=lambda item: item[0].count("/")):
        if isinstance(what, _Opened):
            _put(what)
        elif what == "scratch":
            os.makedirs(path, exist_ok=True)
            kernel.mount("scratch", path, kind="tmpfs", flags=_SAFE, data=f"mode=1777,uid={owner},gid={owner}")
        elif os.path.isdir(path):
            kernel.mount("hidden", path, kind="tmpfs", flags=_SAFE, data=_VEIL)
            veils.append(path)
    for path in veils:
        _make_read_only(path)


def _put(opened: _Opened) -> None:
    target, writable = opened.place.target, opened.place.writable
    if opened.is_folder:
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o644))
    kernel.mount(f"/proc/self/fd/{opened.descriptor}", target, flags=kernel.MS_BIND | kernel.MS_REC)
    os.close(opened.descriptor)
    if not writable:
        _make_read_only(target)


def _make_read_only(path: str) -> None:
    inherited = os.statvfs(path).f_flag & _KEPT_BY_REMOUNT
    kernel.mount(None, path, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _SAFE | inherited)


def _open(place: Place) -> _Opened:
    descriptor = os.open(place.source, os.O_PATH | os.O_CLOEXEC)
    return _Opened(place, descriptor, stat.S_ISDIR(os.fstat(descriptor).st_mode))


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
