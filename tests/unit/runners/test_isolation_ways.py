"""The ways to an instance's files, opened for one group and for nobody else."""

import os
import stat
from pathlib import Path

import pytest

from moorage.runners.process.isolation.ways import is_reachable, open_ways

OURS = os.getegid()
"""A group that also a test without rights may give its folders to."""


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder two below one that is closed."""
    (tmp_path / "data/instances/work").mkdir(parents=True)
    for folder in ("data/instances", "data"):
        (tmp_path / folder).chmod(0o700)
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & stat.S_IXOTH and parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IXGRP)
    return tmp_path / "data"


def test_a_closed_folder_is_opened_to_pass_through_and_not_to_look_into(closed) -> None:
    assert not is_reachable(closed / "instances/work", OURS)
    open_ways([closed, closed / "instances"], OURS)
    assert is_reachable(closed / "instances/work", OURS)
    assert [0o710, 0o710] == [stat.S_IMODE(path.stat().st_mode) for path in (closed, closed / "instances")]
    assert OURS == closed.stat().st_gid


def test_what_lets_everybody_through_stays_as_it_is(closed) -> None:
    closed.chmod(0o755)
    (closed / "instances").chmod(0o711)
    open_ways([closed, closed / "instances"], OURS)
    assert [0o755, 0o711] == [stat.S_IMODE(path.stat().st_mode) for path in (closed, closed / "instances")]


def test_one_closed_folder_on_the_way_is_enough(closed) -> None:
    open_ways([closed / "instances"], OURS)
    assert not is_reachable(closed / "instances/work", OURS)


def test_a_folder_of_the_group_that_does_not_let_it_through_does_not_count_as_open_to_others(closed) -> None:
    closed.chmod(0o701)
    (closed / "instances").chmod(0o701)
    assert not is_reachable(closed / "instances/work", OURS)
    assert is_reachable(closed / "instances/work", OURS + 1)
