"""What is removed of what lies below the folder of environments, and what never is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from moorage.runners.process.environments.build import RECORD_NAME, EnvironmentRecord
from moorage.runners.process.environments.upkeep import prune, remove, sweep, take_stock

NOW = 1_000_000.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".cache").mkdir()
    (tmp_path / "overlays").mkdir()
    return tmp_path


def make(root: Path, name: str, *, size: int = 100, age_s: float = 0.0, python: str = sys.executable) -> Path:
    """An environment, or what looks like one."""
    path = root / name
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(python)
    record = msgspec.json.encode(EnvironmentRecord(name, python, (), ()))
    (path / RECORD_NAME).write_bytes(record)
    taken = len(record) + (path / "bin" / "python").lstat().st_size
    (path / "contents").write_bytes(b"x" * (size - taken if size > taken else 0))
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def make_overlay(root: Path, name: str, *, size: int = 100, age_s: float = 0.0) -> Path:
    path = root / "overlays" / name
    path.mkdir()
    (path / "contents").write_bytes(b"x" * size)
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def test_sweeping_removes_what_is_half_done_and_what_nothing_can_run_in(root):
    whole = make(root, "whole")
    overlay = make_overlay(root, "overlay")
    for half in (root / ".new-1", root / ".gone-2", root / "overlays" / ".new-3"):
        half.mkdir()
        (half / "file").touch()
    make(root, "without-interpreter", python="/nowhere/python3.11")
    (root / "runtime-old").mkdir()

    sweep(root, keep=set())

    assert {whole, root / ".cache", root / "overlays"} == set(root.iterdir())
    assert [overlay] == list((root / "overlays").iterdir())


def test_sweeping_leaves_what_instances_run_from(root):
    copy = root / "runtime-old"
    copy.mkdir()
    broken = make(root, "broken", python="/nowhere/python3.11")

    sweep(root, keep={copy, broken})

    assert copy.is_dir()
    assert broken.is_dir()


def test_sweeping_what_is_not_there(tmp_path):
    sweep(tmp_path / "nowhere", keep=set())


def test_stock_is_taken_of_environments_and_overlays_the_longest_unwanted_first(root):
    make(root, "new", size=1000, age_s=1)
    make(root, "old", size=2000, age_s=3)
    make_overlay(root, "between", size=300, age_s=2)
    (root / "runtime-x").mkdir()

    assert [("old", 2000), ("between", 300), ("new", 1000)] == [(s.name, s.size_bytes) for s in take_stock(root)]


@pytest.mark.parametrize(
    ("bytes_max", "gone"),
    [(6000, []), (5999, ["a"]), (5000, ["a"]), (4999, ["a", "b"]), (0, ["a", "b", "c"])],
)
def test_pruning_removes_the_longest_unwanted_until_the_rest_fits(root, bytes_max, gone):
    for name, size, age_s in (("a", 1000, 30), ("b", 2000, 20), ("c", 3000, 10)):
        make(root, name, size=size, age_s=age_s)

    removed = prune(root, keep=set(), bytes_max=bytes_max, wanted_before=NOW)

    assert gone == [stored.name for stored in removed]
    assert {"a", "b", "c"} - set(gone) == {stored.name for stored in take_stock(root)}


def test_pruning_spares_what_is_in_use_and_what_was_wanted_just_now(root):
    used = make(root, "used", size=1000, age_s=30)
    make(root, "idle", size=1000, age_s=20)
    make(root, "just-now", size=1000, age_s=1)

    removed = prune(root, keep={used}, bytes_max=0, wanted_before=NOW - 10)

    assert ["idle"] == [stored.name for stored in removed]


def test_removing_twice_is_as_good_as_once(root):
    path = make(root, "some")
    remove(path)
    remove(path)
    assert not path.exists()
    assert [] == list(root.glob(".gone-*"))
