"""The order in which a child confines itself: first what needs rights, then giving up all of them for ever."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from moorage.runtime.sandbox import kernel, landlock, seccomp, view
from moorage.runtime.sandbox.network import raise_loopback
from moorage.runtime.sandbox.plan import NAMESPACE, SHARED, Sandbox


class SandboxFailed(Exception):
    """The sandbox cannot be made as it was told; the message names the step and what the kernel said."""


def prepare() -> None:
    """Do once, in the process that forks, what would be the same in every child."""
    view.prepare()
    for has_network in (True, False):
        seccomp.prepare(has_network=has_network)


def enter(sandbox: Sandbox) -> None:
    """Confine this process and all it will fork. It must have one thread. Raises SandboxFailed.

    Descriptors that are open stay usable; no new privileges are forbidden in any case.
    """
    with _step("joining its control groups"):
        for folder in sandbox.control_groups:
            Path(folder, "cgroup.procs").write_text("0")
    with _step("limiting its resources"):
        _limit(sandbox)
    with _step("making its namespaces"):
        _make_namespaces(sandbox)
    if sandbox.view is not None:
        with _step("making its view of the file system"):
            view.enter_view(sandbox.view, owner=os.getuid() if sandbox.user is None else sandbox.user)
    with _step("giving up rights"):
        _give_up_rights(sandbox)
    if sandbox.landlock:
        with _step("restricting files by Landlock"):
            landlock.restrict(sandbox.landlock, readable=sandbox.readable, writable=sandbox.writable)
    if sandbox.seccomp:
        with _step("filtering system calls"):
            seccomp.filter_system_calls(has_network=sandbox.network in (SHARED, NAMESPACE))


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SandboxFailed(f"The instance could not be isolated: {name}: {error.strerror}{where}") from error


def _limit(sandbox: Sandbox) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, wanted in (
        (resource.RLIMIT_NPROC, sandbox.processes_max),
        (resource.RLIMIT_DATA, sandbox.memory_bytes),
    ):
        if wanted is not None:
            _, hard = resource.getrlimit(kind)
            least = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(kind, (least, least))


def _make_namespaces(sandbox: Sandbox) -> None:
    kinds = kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC if sandbox.view is not None else 0
    if sandbox.network == NAMESPACE:
        kinds |= kernel.CLONE_NEWNET
    if not kinds:
        return
    if sandbox.user_namespace:
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(kinds | kernel.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    else:
        kernel.unshare(kinds)
    if sandbox.network == NAMESPACE:
        raise_loopback()


def _give_up_rights(sandbox: Sandbox) -> None:
    if sandbox.user is not None:
        os.setgroups(list(sandbox.groups))
        os.setresgid(sandbox.user, sandbox.user, sandbox.user)
        os.setresuid(sandbox.user, sandbox.user, sandbox.user)
        kernel.own_proc_entries()
    else:
        kernel.drop_capabilities()
    kernel.forbid_new_privileges()
