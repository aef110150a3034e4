"""Lines of several writers, in a file that does not grow for ever."""

import multiprocessing
from pathlib import Path

import pytest

from moorage.telemetry.line_file import LineFile

LINE = b"x" * 99 + b"\n"


def write_many(path: Path, letter: bytes, bytes_max: int) -> None:
    file = LineFile(path, bytes_max=bytes_max)
    for number in range(300):
        file.append(b"%b%06d%b\n" % (letter, number, letter * 200) * 10)


def kept(path: Path) -> bytes:
    older = path.with_name(path.name + ".1")
    return (older.read_bytes() if older.exists() else b"") + (path.read_bytes() if path.exists() else b"")


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    LineFile(tmp_path / "log", bytes_max=1_000).append(LINE)
    assert 0o600 == (tmp_path / "log").stat().st_mode & 0o777


def test_the_last_lines_are_kept_within_the_size(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "log", bytes_max=2_000)
    for number in range(100):
        file.append(b"%099d\n" % number)
        assert 2_000 + len(LINE) >= len(kept(tmp_path / "log"))
    numbers = [int(line) for line in kept(tmp_path / "log").splitlines()]
    assert list(range(100))[-len(numbers) :] == numbers
    assert 10 <= len(numbers)


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(LINE + b"cut sho")
    LineFile(tmp_path / "log", bytes_max=10_000).append(LINE)
    assert [LINE, b"cut sho\n", LINE] == (tmp_path / "log").read_bytes().splitlines(keepends=True)


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "log", bytes_max=10_000)
    file.append(LINE)
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    file.append(LINE)
    assert LINE == (tmp_path / "log").read_bytes()


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        LineFile(tmp_path / "gone" / "log", bytes_max=10_000).append(LINE)


@pytest.mark.parametrize("bytes_max", [1 << 30, 1 << 20])
def test_several_processes_neither_tear_nor_lose_lines(tmp_path: Path, bytes_max: int) -> None:
    path = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, letter, bytes_max)) for letter in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = kept(path).splitlines()
    for line in lines:
        letter = line[:1]
        assert line == letter + line[1:7] + letter * 200
    if bytes_max == 1 << 30:
        assert 9_000 == len(lines)
    else:
        assert (1 << 19) // 208 <= len(lines) <= (1 << 20) // 208 + 30
