"""What was fetched: kept as long as there is room, and as long as somebody needs it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moorage.objects.object_cache import GRACE, ObjectCache

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + 2 * GRACE
SHA256 = "0" * 64


class Cache:
    """A cache of files of ten bytes."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self.cache = ObjectCache(folder, bytes_max=bytes_max)
        self.cache.prepare()

    def keep(self, url: str, at: datetime) -> None:
        path = self.cache.new_path(10, now=at)
        path.write_bytes(b"0123456789")
        self.cache.hold([(url, "tag")])
        self.cache.keep(path, url, etag="tag", sha256=SHA256, now=at)
        self.cache.release([(url, "tag")], now=at)

    def has(self, url: str, at: datetime) -> bool:
        return [None] != self.cache.find([(url, "tag")], now=at)


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes_max=25)
    cache.keep("a", NOW)
    cache.keep("b", NOW + timedelta(minutes=1))
    assert cache.has("a", NOW + timedelta(minutes=2))
    cache.keep("c", LATER)
    assert not cache.has("b", LATER)
    assert cache.has("a", LATER)
    cache.keep("d", LATER)  # nothing is old enough to go
    assert 3 == len(list(tmp_path.iterdir()))


def test_what_is_being_fetched_with_others_stays_however_long_they_take(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes_max=5)
    cache.cache.hold([("a", "tag"), ("b", "tag")])
    cache.keep("a", NOW)
    cache.keep("b", LATER)
    assert cache.has("a", LATER)
    cache.cache.release([("a", "tag"), ("b", "tag")], now=LATER)
    cache.keep("c", LATER + 2 * GRACE)
    assert not cache.has("a", LATER + 2 * GRACE)


def test_what_an_instance_has_linked_neither_counts_nor_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", bytes_max=15)
    cache.keep("a", NOW)
    [file] = cache.cache.find([("a", "tag")], now=NOW)
    assert file is not None
    os.link(file.path, tmp_path / "linked")
    cache.keep("b", LATER)
    assert cache.has("a", LATER)
    assert cache.has("b", LATER)
    (tmp_path / "linked").unlink()
    cache.keep("c", LATER + 2 * GRACE)
    assert not cache.has("b", LATER + 2 * GRACE)


def test_what_is_there_is_found_after_a_restart_and_half_a_download_is_not(tmp_path: Path) -> None:
    before = Cache(tmp_path, bytes_max=100)
    before.keep("a", NOW)
    before.cache.new_path(4, now=NOW).write_bytes(b"half")
    after = Cache(tmp_path, bytes_max=100)
    [found, other] = after.cache.find([("a", "tag"), ("a", "another tag")], now=NOW)
    assert found is not None
    assert other is None
    assert (b"0123456789", SHA256) == (found.path.read_bytes(), found.sha256)
    assert [found.path] == list(tmp_path.iterdir())


def test_what_the_disk_has_no_room_for_is_not_begun_and_what_could_make_room_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes_max=100)
    cache.keep("a", NOW)
    with pytest.raises(OSError, match="No space left"):
        cache.cache.new_path(1 << 60, now=NOW)
    assert cache.has("a", NOW), "it was used a moment ago"
    with pytest.raises(OSError, match="No space left"):
        cache.cache.new_path(1 << 60, now=LATER)
    assert not cache.has("a", LATER)


def test_what_was_removed_by_hand_is_not_here(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes_max=100)
    cache.keep("a", NOW)
    cache.keep("b", NOW)
    for path in tmp_path.iterdir():
        path.unlink()
    assert not cache.has("a", NOW)
    cache.keep("a", LATER)
    assert cache.has("a", LATER)
