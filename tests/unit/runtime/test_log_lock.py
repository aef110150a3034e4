"""An instance holds its log for life, and none that was removed meanwhile."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

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


def test_a_log_that_is_removed_while_it_is_opened_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "variant" / "instance.log"
    path.parent.mkdir()
    opened: list[int] = []
    with path.open("w") as removed:
        fcntl.flock(removed, fcntl.LOCK_EX)
        opener = threading.Thread(target=lambda: opened.append(_open_log(str(path))))
        opener.start()
        path.unlink()
        path.parent.rmdir()
    opener.join(30)
    (log,) = opened
    assert os.path.samestat(path.stat(), os.fstat(log))
    assert is_living(path)
    os.close(log)
