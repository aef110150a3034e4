"""An instance holds its log for life, and none that was removed meanwhile."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from moorage.runtime.output import _open_log
from moorage.telemetry.log_trim import is_living


def test_a_log_is_held_as_long_as_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "variant" / "instance.log"
    log, other = _open_log(str(path)), _open_log(str(path))
    assert is_living(path)
    os.close(log)
    assert is_living(path)
    os.close(other)
    assert not is_living(path)


@pytest.mark.parametrize("another", [False, True], ids=["gone", "another"])
def test_a_log_that_is_removed_before_it_is_held_is_opened_again(
    another: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "variant" / "instance.log"
    flock, left = fcntl.flock, iter([path])

    def removed_before(log: int, operation: int) -> None:
        for removed in left:  # the first time only
            removed.unlink()
            if another:
                removed.touch()
            else:
                removed.parent.rmdir()
        flock(log, operation)

    monkeypatch.setattr(fcntl, "flock", removed_before)
    log = _open_log(str(path))
    monkeypatch.undo()
    assert not list(left)
    assert os.path.samestat(path.stat(), os.fstat(log))
    assert is_living(path)
    os.close(log)
