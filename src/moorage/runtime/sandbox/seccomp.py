"""The filter of system calls: what no model needs and what an attack on the kernel begins with is refused.

Threads, processes, signals, memory, files and sockets stay. What is refused fails with EPERM, `clone3` with ENOSYS,
since its flags lie in memory where no filter sees them, and the C library then uses `clone`. A filter without network
refuses every socket that is not a Unix one.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import socket
from typing import Final

from moorage.runtime.sandbox import bpf, kernel
from moorage.runtime.sandbox.syscalls import ARCHITECTURES, Architecture

REFUSED: Final = (
    # other processes' memory
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    # namespaces and mounts
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("move_mount", "open_tree", "open_tree_attr", "mount_setattr", "name_to_handle_at", "open_by_handle_at"),
    # what most ways into the kernel went through
    *("bpf", "userfaultfd", "perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("keyctl", "add_key", "request_key", "fanotify_init", "lookup_dcookie", "uselib", "modify_ldt"),
    # the machine
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff"),
    *("acct", "quotactl", "quotactl_fd", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    *("sethostname", "setdomainname", "iopl", "ioperm", "vhangup"),
)

_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_FIRST_ARGUMENT: Final = 16
_ALLOW: Final = 0x7FFF_0000
_FAIL: Final = 0x0005_0000
_NEW_NAMESPACES: Final = 0x7E02_0000  # CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET} and CLONE_NEWNS
_SET_MODE_FILTER: Final = 1
_SPECULATION_ALLOWED: Final = 4


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@functools.cache
def build_filter(architecture: Architecture, *, has_network: bool) -> bytes:
    """The filter's program."""
    numbers = architecture.numbers
    steps: list[bpf.Step] = [bpf.Load(_ARCHITECTURE), bpf.Unless(architecture.audit, "absent"), bpf.Load(_NUMBER)]
    if architecture.foreign_from is not None:
        steps.append(bpf.If("at least", architecture.foreign_from, "absent"))
    steps += [bpf.If("equal", numbers["clone3"], "absent"), bpf.If("equal", numbers["clone"], "clone")]
    if not has_network:
        steps += [bpf.If("equal", numbers[name], "socket") for name in ("socket", "socketpair")]
    steps += [bpf.If("equal", numbers[name], "refuse") for name in REFUSED if name in numbers]
    steps.append(bpf.Return(_ALLOW))
    steps += [bpf.Label("clone"), bpf.Load(_FIRST_ARGUMENT), bpf.If("any bit of", _NEW_NAMESPACES, "refuse")]
    steps.append(bpf.Return(_ALLOW))
    steps += [bpf.Label("socket"), bpf.Load(_FIRST_ARGUMENT), bpf.Unless(socket.AF_UNIX, "refuse")]
    steps.append(bpf.Return(_ALLOW))
    steps += [bpf.Label("refuse"), bpf.Return(_FAIL | errno.EPERM)]
    steps += [bpf.Label("absent"), bpf.Return(_FAIL | errno.ENOSYS)]
    return bpf.assemble(steps)


def prepare(*, has_network: bool) -> None:
    """Build the filter that `filter_system_calls` will want."""
    architecture = ARCHITECTURES.get(kernel.MACHINE)
    if architecture is not None:
        build_filter(architecture, has_network=has_network)


def filter_system_calls(*, has_network: bool) -> None:
    """Put the filter on this process and all it will fork. It must have forbidden new privileges. Raises OSError.

    Without the flag, kernels before 5.16 would also make every branch that may be mispredicted slow.
    """
    architecture = ARCHITECTURES.get(kernel.MACHINE)
    if architecture is None:
        raise OSError(errno.ENOSYS, f"Moorage has no filter for {kernel.MACHINE}")
    program = build_filter(architecture, has_network=has_network)
    loaded = _Program(len(program) // 8, program)
    kernel.syscall(architecture.numbers["seccomp"], _SET_MODE_FILTER, _SPECULATION_ALLOWED, ctypes.byref(loaded))
