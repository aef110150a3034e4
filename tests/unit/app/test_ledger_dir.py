"""Where the ledgers of a data directory lie."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from moorage.app.settings import ledger_dir_for, run_dir_for

MIB = 1 << 20


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch):
    def has(size: int) -> None:
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=size // 4096, f_frsize=4096))

    return has


def test_they_lie_in_memory_apart_for_every_data_directory(memory) -> None:
    memory(1024 * MIB)
    one, other = (ledger_dir_for(Path("/somewhere") / name) for name in ("one", "other"))
    assert one != other
    assert [Path("/dev/shm")] * 2 == [one.parent, other.parent]
    assert f"moorage-{os.getuid()}-" in one.name


def test_where_memory_is_short_they_lie_with_the_sockets(memory) -> None:
    memory(64 * MIB)
    assert run_dir_for(Path("/somewhere")) == ledger_dir_for(Path("/somewhere"))


def test_where_there_is_no_shared_memory_they_lie_with_the_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(path: object) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "statvfs", none)
    assert run_dir_for(Path("/somewhere")) == ledger_dir_for(Path("/somewhere"))
