"""The unpacked models of an instance, by real archives and a real disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.runners.process.models import ArchiveRefused
from moorage.runners.process.multi_model.stock import Stock
from moorage.testing.models import archive

KILOBYTE = 1000


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    folder = tmp_path / "archives"
    folder.mkdir()
    for name in "abcd":
        (folder / name).write_bytes(archive({"model.pkl": name.encode() * KILOBYTE}))
    (folder / "broken").write_bytes(b"nothing")
    return folder


async def opened(root: Path, *, kilobytes: int = 1000) -> Stock:
    stock = Stock(root, bytes_max=kilobytes * KILOBYTE)
    await stock.open()
    return stock


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


async def test_a_model_is_unpacked_once_and_found_by_the_next_agent(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    folder = await (await opened(root)).ensure("a", archives / "a")
    assert b"a" * KILOBYTE == (folder / "model.pkl").read_bytes()
    before = folder.stat().st_ino
    again = await (await opened(root)).ensure("a", archives / "broken")
    assert (folder, before) == (again, again.stat().st_ino)


async def test_the_longest_unwanted_goes_but_nothing_that_is_in_use(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root, kilobytes=2)
    folders = {name: await stock.ensure(name, archives / name) for name in "abca"}
    assert stock.is_over
    await stock.shrink({folders["b"]})
    assert ["a", "b"] == names(root)
    assert not stock.is_over
    await stock.ensure("d", archives / "d")
    await stock.shrink(set())
    assert ["a", "d"] == names(root)


async def test_where_nothing_is_kept_only_what_is_in_use_stays(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root, kilobytes=0)
    folder = await stock.ensure("a", archives / "a")
    await stock.shrink({folder})
    assert ["a"] == names(root)
    await stock.shrink(set())
    assert ([], False) == (names(root), stock.is_over)


async def test_what_an_agent_left_half_done_is_removed(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    await (await opened(root)).ensure("a", archives / "a")
    (root / "b.half").mkdir()
    await opened(root)
    assert ["a"] == names(root)


async def test_what_is_no_archive_leaves_nothing(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root)
    with pytest.raises(ArchiveRefused):
        await stock.ensure("x", archives / "broken")
    assert [] == names(root)
