"""Which Pythons are found, and in which order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from moorage.runners.process.environments import interpreters
from moorage.runners.process.environments.interpreters import find_interpreters


def make_python(folder: Path, minor: int, says: str) -> str:
    """A program that answers like an interpreter, or not."""
    folder.mkdir(exist_ok=True)
    path = folder / f"python3.{minor}"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return str(path)


def test_ours_is_the_first_and_others_follow_the_newest_first(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "_PROBE_TIMEOUT_S", 60.0)  # one that is slow is not what this is about
    more = [
        make_python(tmp_path / "a", 13, "echo cpython 3 13 1"),
        make_python(tmp_path / "b", 14, "echo cpython 3 14 0"),
        make_python(tmp_path / "c", 13, "echo cpython 3 13 2"),
    ]

    found = find_interpreters(more)

    assert (os.path.realpath(sys.executable), sys.version_info[:3]) == (found[0].path, found[0].version)
    versions = [one.version for one in found[1:]]
    assert sorted(versions, reverse=True) == versions
    assert len({one.minor for one in found}) == len(found)
    assert {"Python 3.14.0"} <= {str(one) for one in found}
    assert (3, 13, 1) not in versions


def test_what_is_no_usable_interpreter_is_passed_over(tmp_path):
    bad = [
        make_python(tmp_path / "a", 14, "echo pypy 3 14 999"),
        make_python(tmp_path / "b", 14, "echo cpython 3 9 999"),
        make_python(tmp_path / "c", 14, "exit 1"),
        make_python(tmp_path / "d", 14, "echo what"),
        str(tmp_path / "absent"),
    ]

    assert not {os.path.realpath(path) for path in bad} & {one.path for one in find_interpreters(bad)}
