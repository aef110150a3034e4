"""Reading by seeking gives what reading everything would."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.telemetry import log_file
from moorage.telemetry.log_file import LogEvent, back_up, end_of, find_time, read_events, read_events_backward
from moorage.telemetry.log_lines import PRINTED

LINE_BYTES_MAX = PRINTED.bytes_max
START = datetime(2026, 11, 21, 2, 55, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


def stamp(ms: int) -> str:
    return (START + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_all(path: Path) -> list[LogEvent]:
    with path.open("rb") as file:
        return list(read_events(file, 0, stop=end_of(file)))


def test_a_line_without_a_time_shares_the_one_before(tmp_path: Path) -> None:
    path = write(tmp_path / "log", f"{stamp(0)} Traceback\n  File x\n\n{stamp(5)} next\nno line feed")
    expected = [(START_MS, "Traceback"), (START_MS, "  File x"), (START_MS, ""), (START_MS + 5, "next")]
    assert expected == [(event.at_ms, event.message) for event in read_all(path)]


def test_reading_from_the_middle_knows_the_time_too(tmp_path: Path) -> None:
    path = write(tmp_path / "log", f"{stamp(7)} first\n" + "more\n" * 300)
    whole = read_all(path)
    with path.open("rb") as file:
        assert whole[250:] == list(read_events(file, whole[250].start, stop=end_of(file)))


def test_without_any_time_the_files_own_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "log", "2026-99-99T00:00:00.000Z odd\nplain\n")
    os.utime(path, (1000, 1000))
    expected = [(1_000_000, "2026-99-99T00:00:00.000Z odd"), (1_000_000, "plain")]
    assert expected == [(event.at_ms, event.message) for event in read_all(path)]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[31mred\x1b[0m\ttab", "\\x1b[31mred\\x1b[0m\ttab"),
        (b"windows\r", "windows"),
        (b"over\rwritten", "over\\x0dwritten"),
        (b"nul\x00 del\x7f", "nul\\x00 del\\x7f"),
        ("c1\u009b31m ünï".encode(), "c1\\x9b31m ünï"),
        (b"not utf-8 \xff", "not utf-8 \\xff"),
    ],
)
def test_nothing_reaches_a_terminal_that_could_play_tricks(tmp_path: Path, raw: bytes, shown: str) -> None:
    path = write(tmp_path / "log", stamp(0).encode() + b" " + raw + b"\n")
    assert [shown] == [event.message for event in read_all(path)]


def test_a_very_long_line_is_cut_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "log", f"{stamp(0)} {'x' * 3 * LINE_BYTES_MAX}\n{stamp(1)} after\n")
    long, after = read_all(path)
    prefix = len(stamp(0)) + 1
    assert "x" * (LINE_BYTES_MAX - prefix) + f"… ({prefix + 2 * LINE_BYTES_MAX} bytes more)" == long.message
    assert "after" == after.message


@pytest.mark.parametrize("content", ["", "no line feed yet"])
def test_what_is_not_complete_is_not_there(tmp_path: Path, content: str) -> None:
    assert [] == read_all(write(tmp_path / "log", content))


class SmallBlocks:
    """Makes blocks a few bytes, so that short files cross many of their edges."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._before = log_file._BLOCK
        log_file._BLOCK = self._size

    def __exit__(self, *_: object) -> None:
        log_file._BLOCK = self._before


Line = tuple[int, bool, str]
LINES = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.text(alphabet="ab é", max_size=8)), min_size=1, max_size=30
)


def build(lines: list[Line]) -> bytes:
    """Of each line: how much later it is than the one before, whether it says so, and its text."""
    now = 0
    parts: list[str] = []
    for step, is_timed, text in lines:
        now += step
        parts.append(f"{stamp(now)} {text}\n" if is_timed or not parts else f"{text}\n")
    return "".join(parts).encode()


@given(lines=LINES, block=st.integers(1, 80), at=st.integers(-1, 120))
def test_finding_a_time_by_halving(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], block: int, at: int
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "halving", build(lines))
    whole = read_all(path)
    expected = next((event.start for event in whole if event.at_ms >= START_MS + at), whole[-1].end)
    with SmallBlocks(block), path.open("rb") as file:
        assert expected == find_time(file, START_MS + at, stop=end_of(file))


@given(lines=LINES, block=st.integers(1, 80), back=st.integers(0, 40), at=st.integers(0, 30))
def test_backing_up_by_lines(lines: list[Line], block: int, back: int, at: int) -> None:
    content = build(lines)
    starts = [0, *(index + 1 for index, byte in enumerate(content) if byte == ord("\n"))]
    at = min(at, len(starts) - 1)
    with SmallBlocks(block):
        assert starts[max(0, at - back)] == back_up(io.BytesIO(content), starts[at], lines=back, floor=0)


@given(lines=LINES, block=st.integers(1, 80), first=st.integers(0, 30), at_once=st.integers(1, 5))
def test_reading_backward(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], block: int, first: int, at_once: int
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "backward", build(lines))
    whole = read_all(path)[first:]
    start = whole[0].start if whole else path.stat().st_size
    with SmallBlocks(block), path.open("rb") as file:
        assert whole[::-1] == list(read_events_backward(file, end_of(file), start=start, at_once=at_once))
