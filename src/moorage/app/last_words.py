"""Why a process of a part ended by itself, in a sentence for whoever started it. How it came to that is in the log."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LENGTH_MAX: Final = 500
"""In characters."""


@contextlib.contextmanager
def leaving_last_words(run_dir: Path) -> Iterator[None]:
    """Write down in `run_dir` what is raised, before it ends this process."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(OSError):
            _path(run_dir, os.getpid()).write_text(_sentence(error), encoding="utf-8", errors="replace")
        raise


def take_last_words(run_dir: Path, pid: int) -> str:
    """What a process that has ended has left, and forget it; empty if it has said nothing."""
    path = _path(run_dir, pid)
    try:
        words = path.read_text(encoding="utf-8", errors="replace")
        path.unlink()
    except OSError:
        return ""
    return words


def _path(run_dir: Path, pid: int) -> Path:
    return run_dir / f"{pid}.last-words"


def _sentence(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    first_line = str(error).strip().partition("\n")[0].rstrip(".")
    return (first_line or type(error).__name__)[:LENGTH_MAX]
