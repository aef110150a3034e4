"""Helper processes of the agent: worthless without it, and making files that instances of any user can read."""

from __future__ import annotations

import sys
from typing import Final

_BOOT: Final = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.umask(0o22); os.execv(sys.argv[1], sys.argv[1:])"
)
"""PR_SET_PDEATHSIG is kept across exec. Not by `preexec_fn`, because the agent has threads."""


def helper(*command: str) -> tuple[str, ...]:
    """The command line that runs `command`, its program given by path, so."""
    return (sys.executable, "-I", "-S", "-c", _BOOT, *command)
