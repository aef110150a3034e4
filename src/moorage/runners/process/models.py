"""Unpacked model data, one read-only folder a digest, shared by every instance of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any, Final

import moorage
from moorage.core.words import counted
from moorage.runners.process.procfs import boot_id
from moorage.system import entropy

_NOBODY: Final = 65534
_ANSWER_BYTES_MAX: Final = 65_536
_BOOT: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); from moorage.runners.process.archive.child import main; main()"
)


class ArchiveRefused(Exception):
    """The archive can never be unpacked; the message is the sentence that says why."""


class UnpackFailed(Exception):
    """The archive could not be unpacked here and now; the message says why."""


class ModelFolders:
    """Owns `root`: folders are made by `ensure` and removed by `keep_only`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unpacking: dict[str, asyncio.Task[str]] = {}

    def sweep(self) -> None:
        """Remove what a dead agent left half done, and everything after a reboot: it was never synced to disk."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        marker, boot = self._root / ".boot", boot_id()
        same_boot = marker.exists() and marker.read_text() == boot
        for path in self._folders():
            if path.is_dir() and (not same_boot or path.suffix):
                _remove(path)
        marker.write_text(boot)

    def path_of(self, digest: str) -> Path:
        """Where the model data with this digest is, once `ensure` has returned."""
        return self._root / digest

    async def ensure(self, digest: str, staged: Path) -> str | None:
        """Have the folder made of an archive, or of a folder, which is moved; answers what was done, None if nothing.

        Raises ArchiveRefused, UnpackFailed.
        """
        if self.path_of(digest).is_dir():
            return None
        task = self._unpacking.get(digest)
        if task is None:
            task = asyncio.create_task(self._make(digest, staged))
            self._unpacking[digest] = task
            task.add_done_callback(lambda _: self._unpacking.pop(digest, None))
        return await asyncio.shield(task)  # one instance that is stopped must not stop the others' work

    async def keep_only(self, digests: Set[str]) -> None:
        """Remove the folders of all other digests, and stop unpacking them."""
        unwanted = [task for digest, task in self._unpacking.items() if digest not in digests]
        doomed = [
            path.rename(path.with_name(f"{path.name}.{entropy.new_uid()}"))
            for path in self._folders()
            if path.is_dir() and not path.suffix and path.name not in digests
        ]
        for task in unwanted:
            task.cancel()
        for path in doomed:
            await asyncio.to_thread(_remove, path)
        if unwanted:
            await asyncio.wait(unwanted)

    def _folders(self) -> list[Path]:
        try:
            return list(self._root.iterdir())
        except FileNotFoundError:  # the data directory was removed under us
            return []

    async def _make(self, digest: str, staged: Path) -> str:
        if await asyncio.to_thread(staged.is_dir):
            return await asyncio.to_thread(self._move, digest, staged)
        return await self._unpack(digest, staged)

    def _move(self, digest: str, staged: Path) -> str:
        try:
            files = _seal_below(staged)
            staged.rename(self.path_of(digest))
            self.path_of(digest).chmod(0o555)  # at last: a folder that is read-only only root may move to another
        except OSError as error:
            raise UnpackFailed(f"The model data could not be put in place: {error.strerror}") from error
        return f"put {counted(files, 'file')} in place"

    async def _unpack(self, digest: str, archive: Path) -> str:
        fresh = self._root / f"{digest}.{entropy.new_uid()}"
        try:
            fresh.mkdir(mode=0o700)
            answer = await _run_child(archive, fresh)
            if "refused" in answer:
                raise ArchiveRefused(str(answer["refused"]))
            if "failed" in answer:
                raise UnpackFailed(f"The model data could not be unpacked: {answer['failed']}")
            await asyncio.to_thread(_seal, fresh)
            fresh.rename(self.path_of(digest))
        except OSError as error:
            raise UnpackFailed(f"The model data could not be unpacked: {error.strerror}") from error
        finally:
            if fresh.exists():
                await asyncio.to_thread(_remove, fresh)
        return f"unpacked {counted(answer['members'], 'member')}, {counted(answer['bytes'], 'byte')}"


async def _run_child(archive: Path, target: Path) -> dict[str, Any]:
    """Unpack in a child that has the archive and the folder open and no way to open anything else."""
    uid = _give_away(target)
    source = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
    try:
        folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        os.close(source)
        raise
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _BOOT, str(Path(moorage.__file__).parents[1]), str(folder), str(uid)),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(folder,),
            env={},
            cwd="/",
        )
    finally:
        os.close(folder)
        os.close(source)
    assert child.stdout is not None
    try:
        answer = await child.stdout.read(_ANSWER_BYTES_MAX)
        code = await child.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()  # until it is dead it may be making one more file, in a folder that is being removed
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        return {"failed": f"the unpacking process ended with code {code}"}
    return found


def _give_away(folder: Path) -> int:
    """Make the folder nobody's, so that the child can be nobody too; -1 where we may not."""
    if os.geteuid() != 0:
        return -1
    try:
        os.chown(folder, _NOBODY, _NOBODY)
    except OSError:  # root of a container without that right
        return -1
    return _NOBODY


def _seal(folder: Path) -> None:
    """Take the folder back and make it read-only; its files were made so."""
    owner = (os.geteuid(), os.getegid())
    for _, _, files, descriptor in os.fwalk(folder):
        if owner[0] == 0:
            for name in files:
                os.chown(name, *owner, dir_fd=descriptor, follow_symlinks=False)
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, 0o555)


def _seal_below(folder: Path) -> int:
    """Make the folders in a folder of links read-only, as their files are; answers how many files there are."""
    count = 0
    for _, folders, files, descriptor in os.fwalk(folder):
        for name in folders:
            os.chmod(name, 0o555, dir_fd=descriptor)
        count += len(files)
    return count


def _remove(folder: Path) -> None:
    for _, _, _, descriptor in os.fwalk(folder):
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
