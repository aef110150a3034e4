"""The Pythons of this machine that an environment can be built on."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MINORS: Final = range(10, 15)
"""The minor releases of Python 3 that the runtime runs on."""
_PROBE: Final = "import sys; print(sys.implementation.name, *sys.version_info[:3])"
_PROBE_TIMEOUT_S: Final = 5.0
_FOLDERS: Final = ("~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin", "/usr/local/bin", "/usr/bin")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython on this machine."""

    path: str
    version: tuple[int, int, int]

    @property
    def minor(self) -> str:
        """`3.11`."""
        return f"{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))}"


def find_interpreters(more: Sequence[str] = ()) -> list[Interpreter]:
    """One a minor release, Moorage's own first, then the newest first. Starts each candidate: some 20 ms apiece."""
    ours = Interpreter(os.path.realpath(sys.executable), sys.version_info[:3])
    found = [ours, *sorted(_probe_all(_candidates(more)), key=lambda one: one.version, reverse=True)]
    by_minor: dict[str, Interpreter] = {}
    for interpreter in found:
        by_minor.setdefault(interpreter.minor, interpreter)
    return list(by_minor.values())


def _candidates(more: Sequence[str]) -> Iterator[str]:
    yield from more
    folders = [folder for folder in os.get_exec_path() if not folder.endswith("/shims")]  # pyenv's stand for nothing
    folders += [found for pattern in _FOLDERS for found in glob.glob(str(Path(pattern).expanduser()))]
    for folder in folders:
        for minor in MINORS:
            path = os.path.join(folder, f"python3.{minor}")
            if os.access(path, os.X_OK):
                yield path


def _probe_all(paths: Iterator[str]) -> Iterator[Interpreter]:
    for path in dict.fromkeys(os.path.realpath(path) for path in paths):
        found = _probe(path)
        if found is not None:
            yield found


def _probe(path: str) -> Interpreter | None:
    """None for what does not run, is no CPython, or of a release that the runtime does not run on."""
    try:
        said = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            check=True,
            env={},
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    if len(said) != 4 or said[0] != "cpython" or int(said[1]) != 3 or int(said[2]) not in MINORS:
        return None
    return Interpreter(path, (int(said[1]), int(said[2]), int(said[3])))
