"""Giving back the beginning of a file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from moorage.system import holes

SIZE = 1 << 20


def test_the_beginning_of_a_file_takes_no_room_and_the_rest_is_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * SIZE + b"rest")
    with path.open("rb+") as file:
        assert 0 == holes.data_start(file.fileno())
        holes.punch(file.fileno(), SIZE)
        assert holes.data_start(file.fileno()) > 0
    assert path.stat().st_size == SIZE + 4
    assert path.stat().st_blocks * 512 <= SIZE // 2
    assert bytes(SIZE) + b"rest" == path.read_bytes()


def test_a_file_that_is_nothing_but_a_hole(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb+") as file:
        assert 0 == holes.data_start(file.fileno())
        file.truncate(SIZE)
        assert SIZE == holes.data_start(file.fileno())


def test_where_there_are_no_holes_all_of_the_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, until: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(holes, "_deallocate", refuse)
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb+") as file:
        holes.punch(file.fileno(), 1)
    assert b"" == path.read_bytes()


def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        holes.punch(file.fileno(), 1)
    assert b"abc" == path.read_bytes()
