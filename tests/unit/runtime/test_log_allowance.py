"""How much an instance may log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.runtime import output
from moorage.runtime.log_allowance import LogAllowance
from moorage.runtime.output import TimedLines


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "log", os.O_RDWR | os.O_APPEND | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_within_the_allowance_everything_goes_through(log: int) -> None:
    allowance = LogAllowance(log, 10)
    for second in range(100, 110):
        assert (True, None) == allowance.admit(1, 10, second)
        os.write(log, b"x" * 10)


def test_beyond_it_nothing_does_until_the_next_window(log: int) -> None:
    allowance = LogAllowance(log, 10)
    assert (True, None) == allowance.admit(1, 90, 100.0)
    os.write(log, b"x" * 90)
    said = "more than 100 bytes in 10 s: what comes before 00:01:50 is left out"
    assert (False, said) == allowance.admit(2, 11, 101.0)
    assert (False, None) == allowance.admit(1, 20, 109.9)
    assert (True, None) == allowance.admit(1, 10, 109.9)
    assert (True, "3 lines (31 bytes) were left out") == allowance.admit(1, 100, 110.0)
    assert allowance.left_out() is None


def test_what_others_write_into_the_same_file_counts(log: int) -> None:
    allowance, other = LogAllowance(log, 10), LogAllowance(log, 10)
    assert (True, None) == allowance.admit(1, 60, 100.0)
    assert (True, None) == other.admit(1, 60, 100.0)
    os.write(log, b"x" * 60)
    assert not other.admit(1, 60, 100.5)[0]
    assert not allowance.admit(1, 60, 100.5)[0]


def test_a_file_whose_beginning_was_taken_back_has_not_shrunk(log: int) -> None:
    allowance = LogAllowance(log, 10)
    assert allowance.admit(1, 90, 100.0)[0]
    os.write(log, b"x" * 90)
    os.ftruncate(log, 0)  # as where a file system has no holes
    assert (True, None) == allowance.admit(1, 100, 101.0)


def test_a_flood_ends_in_two_lines_that_tell_of_it(log: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.time, "time", lambda: 1_700_000_001.0)
    lines = TimedLines(log, bytes_per_s=1000)
    for number in range(1000):
        lines.write(b"%03d%b\n" % (number, b"x" * 70))
    lines.finish()
    written = (tmp_path / "log").read_text().splitlines()
    assert 10_000 - 200 < sum(len(line) + 1 for line in written[:-2]) <= 10_000
    kept = len(written) - 2
    assert (
        "2023-11-14T22:13:21.000Z moorage: more than 10000 bytes in 10 s: what comes before 22:13:30 is left out"
        in (written[-2])
    )
    assert f"moorage: {1000 - kept} lines ({(1000 - kept) * 99} bytes) were left out" in written[-1]
