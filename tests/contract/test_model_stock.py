"""The unpacked models of an instance, by real archives and a real disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from contextlib import AsyncExitStack
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


async def unpack(stock: Stock, archive: Path) -> None:
    async with stock.unpacked(archive.name, archive):
        pass


def using(*folders: Path) -> Callable[[], Awaitable[Set[Path]]]:
    async def in_use() -> Set[Path]:
        return set(folders)

    return in_use


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


async def test_a_model_is_unpacked_once_and_found_by_the_next_agent(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    async with (await opened(root)).unpacked("a", archives / "a") as folder:
        assert b"a" * KILOBYTE == (folder / "model.pkl").read_bytes()
    before = folder.stat().st_ino
    async with (await opened(root)).unpacked("a", archives / "broken") as again:
        assert (folder, before) == (again, again.stat().st_ino)


async def test_the_longest_unwanted_goes_but_nothing_that_is_in_use(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root, kilobytes=2)
    for name in "abca":
        await unpack(stock, archives / name)
    assert stock.is_over
    await stock.shrink(using(root / "b"))
    assert ["a", "b"] == names(root)
    assert not stock.is_over
    await unpack(stock, archives / "d")
    await stock.shrink(using())
    assert ["a", "d"] == names(root)


async def test_what_is_being_loaded_stays(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root, kilobytes=0)
    async with stock.unpacked("a", archives / "a"), stock.unpacked("a", archives / "a"):
        await stock.shrink(using())
        assert ["a"] == names(root)
    async with stock.unpacked("b", archives / "b") as folder:

        async def loaded_meanwhile() -> set[Path]:
            await held.aclose()
            return set()

        held = AsyncExitStack()
        await held.enter_async_context(stock.unpacked("c", archives / "c"))
        await stock.shrink(loaded_meanwhile)
        assert ["b", "c"] == names(root)
        assert folder.is_dir()


async def test_where_nothing_is_kept_only_what_is_in_use_stays(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root, kilobytes=0)
    await unpack(stock, archives / "a")
    await stock.shrink(using(root / "a"))
    assert ["a"] == names(root)
    await stock.shrink(using())
    assert ([], False) == (names(root), stock.is_over)


async def test_what_an_agent_left_half_done_is_removed(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    await unpack(await opened(root), archives / "a")
    (root / "b.half").mkdir()
    await opened(root)
    assert ["a"] == names(root)


async def test_what_is_no_archive_leaves_nothing(tmp_path: Path, archives: Path) -> None:
    root = tmp_path / "models"
    stock = await opened(root)
    with pytest.raises(ArchiveRefused):
        await unpack(stock, archives / "broken")
    assert [] == names(root)
