"""The lock that a process holds for life, and those who only look who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from moorage.system.process import AlreadyLocked, lock_for_life, lock_holder


def test_it_is_held_by_one_and_names_him(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock_holder(path) is None
    descriptor = lock_for_life(path)
    assert os.getpid() == lock_holder(path)
    with pytest.raises(AlreadyLocked):
        lock_for_life(path)
    os.close(descriptor)
    assert lock_holder(path) is None
    os.close(lock_for_life(path))


def test_who_only_looks_is_waited_for_however_long_he_is_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looker = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(looker, fcntl.LOCK_SH)
    delays: list[float] = []

    def sleep(seconds: float) -> None:
        delays.append(seconds)
        if len(delays) == 100:
            os.close(looker)

    monkeypatch.setattr("time.sleep", sleep)
    os.close(lock_for_life(tmp_path / "lock"))
    assert 100 == len(delays)
