"""Helper processes of the agent: worthless without it, and making files that instances of any user can read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import Final

_BOOT: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: kept across exec
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)  # the agent died before we could ask
os.umask(0o22)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Not by `preexec_fn`, because the agent has threads."""


def helper(*command: str) -> tuple[str, ...]:
    """The command line that runs `command`, its program given by path, so."""
    return (sys.executable, "-I", "-S", "-c", _BOOT, str(os.getpid()), *command)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill it, and take what it said from its pipes, which are closed then."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()
