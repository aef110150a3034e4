"""Processes as the kernel tells them apart: pid and start time, sessions, the living and the zombies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_OWNED: Final = re.compile(rb"^State:\t(?P<state>.).*^Uid:\t(?P<user>\d+)", re.MULTILINE | re.DOTALL)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Identity(NamedTuple):
    """One process for ever: a pid is used again, never with the same start."""

    pid: int
    start_ticks: int


class _Stat(NamedTuple):
    pid: int
    state: str
    session: int
    start_ticks: int


class Gone(Exception):
    """The process has ended."""


class WatchedProcess:
    """A process held by a pidfd: a signal can never reach another, and its end is noticed at once."""

    def __init__(self, identity: Identity) -> None:
        """Raises Gone, also for a zombie."""
        self.identity = identity
        try:
            self._pidfd = os.pidfd_open(identity.pid)
        except ProcessLookupError:
            raise Gone from None
        found = _stat(identity.pid)
        if found is None or found.state in "ZX" or found.start_ticks != identity.start_ticks:
            os.close(self._pidfd)
            raise Gone
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int | None] = loop.create_future()
        loop.add_reader(self._pidfd, self._on_end)

    @property
    def is_alive(self) -> bool:
        return not self._ended.done()

    async def wait(self) -> int | None:
        """Wait for its end; the wait status if it was our child to reap, else None."""
        return await asyncio.shield(self._ended)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """SIGKILL it and whatever is left of the session it leads."""
        self.signal(signal.SIGKILL)
        kill_session(self.identity)

    def close(self) -> None:
        """Stop watching. Does nothing to the process."""
        if self.is_alive:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._ended.set_result(None)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        status = _reap(os.P_PIDFD, self._pidfd)
        os.close(self._pidfd)
        self._ended.set_result(status)


def boot_id() -> str:
    """Which run of the kernel this is: pids and start times mean something within one only."""
    return _BOOT_ID.read_text()


def kill_session(leader: Identity) -> bool:
    """SIGKILL the other processes of the session that `leader` founded, whether it still lives or not.

    Whether there was any. To be repeated until there is none: they may fork meanwhile, and do not die at once.
    """
    members = list(_session_members(leader))
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    return bool(members)


def kill_user(user: int) -> bool:
    """SIGKILL every process of a user that is an instance's, also those that left its session; whether there was any.

    To be repeated until there is none: they may fork meanwhile. Raises ValueError for our own user and for root.
    """
    if user in (0, os.geteuid()):
        raise ValueError(f"user {user} is not an instance's")
    members = list(_processes_of(user))
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    return bool(members)


def reap_strays() -> None:
    """Collect zombies that fell to us as subreaper. Our own children share our session, and are waited for by pid."""
    ours = os.getsid(0)
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            stray = _stat(found.si_pid)
            if stray is None or stray.session == ours:
                return
            _reap(os.P_PID, found.si_pid)


def say_status(status: int | None) -> str:
    """`exited with code 3`, `was killed by SIGKILL`, `ended`."""
    return "ended" if status is None else say_exit_code(os.waitstatus_to_exitcode(status))


def say_exit_code(code: int) -> str:
    """`exited with code 3`, `was killed by SIGKILL`. A signal is a negative code, as `subprocess` has it."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _session_members(leader: Identity) -> Iterator[int]:
    """The living processes of the session that `leader` founded, without itself.

    A session keeps its number while it has members, so a namesake founded later has a living leader of another start.
    """
    now = _stat(leader.pid)
    if now is not None and now.start_ticks != leader.start_ticks:
        return
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == leader.pid:
            continue
        found = _stat(int(entry))
        if (
            found
            and found.session == leader.pid
            and found.state not in "ZX"
            and found.start_ticks >= leader.start_ticks
        ):
            yield found.pid


def _processes_of(user: int) -> Iterator[int]:
    """The living processes that a user is. The owner of a folder in /proc would not say: one that hides is root's."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found = _OWNED.search(Path("/proc", entry, "status").read_bytes())
            if found and int(found["user"]) == user and found["state"] not in b"ZX":
                yield int(entry)


def _stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Stat(pid, fields[0], int(fields[3]), int(fields[19]))


def _reap(kind: int, target: int) -> int | None:
    """The wait status of an ended child, taken off the kernel's hands; None if it is not ours or has not ended."""
    with contextlib.suppress(ChildProcessError):
        found = os.waitid(kind, target, os.WEXITED | os.WNOHANG)
        if found is not None:
            return found.si_status << 8 if found.si_code == os.CLD_EXITED else found.si_status
    return None
