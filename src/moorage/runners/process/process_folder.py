"""The folder of one process of an instance: the lock it holds for life, what it was told and what it said.

lock           the claim: see `moorage.runtime.claim`, which holds the other end of it
launch.json    what the process is told
failure.txt    why the model can never be served, written by the process
work/          current directory and temporary files; work/model stands in for model data where there is none
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec

from moorage.runners.process.procfs import Identity
from moorage.system import entropy


class Claim(msgspec.Struct, frozen=True):
    """What the lock says: the process that claimed the folder, and whether it still holds on."""

    identity: Identity | None
    is_held: bool


class Confined(msgspec.Struct, frozen=True):
    """By what everything that a process has started can be found, also what left its session."""

    user: int | None = None
    """Its own, and nobody else's; None if it was the agent's."""
    control_groups: tuple[Path, ...] = ()


class _Launch(msgspec.Struct, frozen=True):
    sandbox: Confined = Confined()


class ProcessFolder:
    """The folder of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / "work"
        self.temporary = path / "tmp"

    def make(self) -> None:
        """Make it, and below it what a process expects to find."""
        self.work.joinpath("model").mkdir(parents=True, mode=0o700)
        self.temporary.mkdir(mode=0o700)

    @property
    def confined(self) -> Confined:
        """What the process was told to confine itself to, as far as that tells what is its."""
        try:
            launch = (self.path / "launch.json").read_bytes()
            return msgspec.json.decode(launch, type=_Launch, dec_hook=lambda kind, value: kind(value)).sandbox
        except (FileNotFoundError, msgspec.MsgspecError):
            return Confined()

    def give_to(self, user: int | None) -> None:
        """Let the user, or us, write in the folders that are for it. Raises OSError."""
        owner = os.geteuid() if user is None else user
        if owner != self.work.stat().st_uid:
            for folder in (self.work / "model", self.work, self.temporary):
                os.chown(folder, owner, owner)

    def failure(self) -> str | None:
        """What the process says is wrong with its model."""
        try:
            return (self.path / "failure.txt").read_text(encoding="utf-8") or None
        except FileNotFoundError:
            return None

    def open_claim(self, launch: dict[str, Any]) -> str:
        """Let one child become the process, and none that was forked before; answers its token."""
        token = entropy.new_uid()
        (self.path / "failure.txt").unlink(missing_ok=True)
        self.replace("launch.json", msgspec.json.encode(launch))
        self.replace("lock", token.encode() + b"\n")
        return token

    def close_claim(self) -> Claim:
        """Who claimed the folder. If nobody holds it, from now on nobody can."""
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

    def replace(self, name: str, data: bytes) -> None:
        """Put a file in the place of the one of that name."""
        fresh = self.path / f".{name}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
        fresh.rename(self.path / name)


def _identity(lines: bytes) -> Identity | None:
    """The second and third line, once the child has written them."""
    parts = lines.decode().splitlines()
    return Identity(int(parts[1]), int(parts[2])) if len(parts) == 3 and lines.endswith(b"\n") else None
