"""Checks of what is installed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from moorage.cli.doctor.finding import Finding, bad, good, note

SQLITE_FLOOR: Final = (3, 35, 0)
"""The first with RETURNING, and past the WAL faults of older ones."""
_COMMAND_TIMEOUT_S: Final = 5


def check_python() -> Iterator[Finding]:
    """This interpreter."""
    yield good("Python", f"{sys.version.split()[0]} at {sys.executable}: Moorage runs on it")


def check_sqlite() -> Iterator[Finding]:
    """The library that state is kept in."""
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < SQLITE_FLOOR:
        floor = ".".join(map(str, SQLITE_FLOOR))
        yield bad("SQLite", f"{version} is too old", advice=f"Use a Python that is linked with {floor} or newer")
    else:
        yield good("SQLite", version)


def check_docker() -> Iterator[Finding]:
    """The Docker daemon. Custom images need it; the framework images do not."""
    if shutil.which("docker") is None:
        yield note("Docker", "not installed; framework images run without it")
        return
    version = _output("docker", "version", "--format", "{{.Server.Version}}")
    if version:
        yield good("Docker", f"daemon {version} answers; this version of Moorage does not use it yet")
    else:
        yield note("Docker", "the client is installed, but no daemon answers; framework images run without it")


def _output(*command: str) -> str:
    """What a command prints, or nothing when it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
