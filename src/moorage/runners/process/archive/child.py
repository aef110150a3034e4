"""The inside of the child: give up every right it does not need, unpack, say how it went in one line of JSON.

Run as `python -I -S -c BOOT …`, archive on descriptor 0, target folder on the descriptor named. The answer is one of

    {"members": 3, "bytes": 204800}
    {"refused": "archive member '../x' leaves the model folder"}     a fault of the archive
    {"failed": "No space left on device"}                            a fault of this machine
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys

from moorage.runners.process.archive.extract import extract
from moorage.runners.process.archive.rules import TOTAL_BYTES_MAX, Refused

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MEMORY_BYTES = 512 << 20
_CPU_S = 3600
_FILES = 64


def main() -> None:
    """`argv`: folder descriptor, uid to become (or -1 to stay)."""
    target, uid = int(sys.argv[1]), int(sys.argv[2])
    try:
        _confine(target, uid)
        members, size = extract(0, target)
        answer: dict[str, object] = {"members": members, "bytes": size}
    except Refused as refused:
        answer = {"refused": str(refused)}
    except MemoryError:
        answer = {"failed": "out of memory"}
    except OSError as error:
        answer = {"failed": error.strerror or str(error)}
    os.write(1, json.dumps(answer).encode())


def _confine(target: int, uid: int) -> None:
    os.closerange(3, target)
    os.closerange(target + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.umask(0)
    if uid >= 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    for kind, limit in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, TOTAL_BYTES_MAX),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of uid, which clears it
