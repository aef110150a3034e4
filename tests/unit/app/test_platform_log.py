from pathlib import Path

from moorage.app.platform_log import keep_small


def test_a_log_that_is_large_goes_on_in_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "moorage.log"
    with open(path, "ab", buffering=0) as log:
        log.writelines(b"line %03d\n" % number for number in range(11))
        keep_small(path, bytes_max=180)
        log.write(b"and so on\n")

    assert b"and so on\n" == path.read_bytes()
    assert [f"line {number:03}" for number in range(1, 11)] == (tmp_path / "moorage.log.1").read_text().splitlines()
    assert 2 == len(list(tmp_path.iterdir()))


def test_a_small_one_and_none_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "moorage.log"
    keep_small(path, bytes_max=180)
    assert [] == list(tmp_path.iterdir())
    path.write_bytes(b"x" * 90)
    keep_small(path, bytes_max=180)
    assert [path] == list(tmp_path.iterdir())
