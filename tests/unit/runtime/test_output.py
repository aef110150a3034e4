import re
import tempfile

from moorage.runtime.output import TimedLines, timestamp

STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


def written(*pieces: bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        lines = TimedLines(file.fileno())
        for piece in pieces:
            assert len(piece) == lines.write(piece)
        lines.finish()
        file.seek(0)
        return file.read()


def test_every_line_has_its_time():
    assert re.fullmatch(STAMP + rb"one\n" + STAMP + rb"two\n", written(b"one\ntwo\n"))


def test_pieces_become_one_line():
    assert re.fullmatch(STAMP + rb"one and two\n", written(b"one ", b"and ", b"two"))


def test_control_characters_are_shown_and_not_sent():
    assert re.fullmatch(STAMP + rb"a\\x1b\[2Jb\tc\n", written(b"a\x1b[2Jb\tc\r\n"))


def test_a_line_without_end_is_broken_somewhere():
    lines = written(b"x" * 70_000, b"y\n").splitlines()
    assert 2 == len(lines)


def test_a_timestamp_is_cut_to_milliseconds():
    assert "2026-01-02T03:04:05.678Z" == timestamp(1767323045.6789)
