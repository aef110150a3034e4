"""Hostile archives. Nothing they hold may end up outside the target, and each refusal names member and rule."""

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.runners.process.archive import rules
from moorage.runners.process.archive.extract import extract
from moorage.runners.process.archive.rules import Refused


def member(name: str, data: bytes = b"x", **fields) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data) if fields.get("type", tarfile.REGTYPE) == tarfile.REGTYPE else 0
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def tar(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def unpack(archive: bytes, root: Path) -> dict[str, bytes]:
    """Every file below `root` once the archive is unpacked in its folder `target`."""
    (root / "archive").write_bytes(archive)
    target = root / "target"
    target.mkdir(exist_ok=True)
    source, folder = os.open(root / "archive", os.O_RDONLY), os.open(target, os.O_RDONLY)
    try:
        extract(source, folder)
    finally:
        os.close(source)
        os.close(folder)
        (root / "archive").unlink()
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tar_writes_is_read(tmp_path, format):
    deep = "/".join(["folder"] * 20) + "/model.pkl"
    members = [
        member("./", type=tarfile.DIRTYPE),
        member("./code", type=tarfile.DIRTYPE),
        member("./code/inference.py", b"import os\n"),
        member(deep, b"y" * 1000),
        member("empty", b""),
        member("run.sh", b"#!", mode=0o755),
    ]
    if format != tarfile.USTAR_FORMAT:
        members.append(member("n" * 200, b"long"))
        members.append(member("ünï/ö", b"utf-8"))
    found = unpack(gzip.compress(tar(*members, format=format)), tmp_path)
    assert b"import os\n" == found["code/inference.py"]
    assert (b"y" * 1000, b"") == (found[deep], found["empty"])
    assert 0o555 == (tmp_path / "target/run.sh").stat().st_mode & 0o777
    if format != tarfile.USTAR_FORMAT:
        assert (b"long", b"utf-8") == (found["n" * 200], found["ünï/ö"])


def test_noise_of_macos_and_padding_are_passed_over(tmp_path):
    archive = tar(member("._model.pkl"), member("__MACOSX/x"), member(".DS_Store"), member("model.pkl", b"m"))
    assert {"model.pkl": b"m"} == unpack(gzip.compress(archive) + bytes(1000), tmp_path)


def test_concatenated_streams_are_one(tmp_path):
    archive = tar(member("model.pkl", b"m" * 5000))
    assert 5000 == len(unpack(gzip.compress(archive[:700]) + gzip.compress(archive[700:]), tmp_path)["model.pkl"])


NOISE = hashlib.shake_128(b"noise").digest(5000)
"""What gzip cannot make smaller, and always the same: where a bit is flipped in it must not be up to chance."""
GOOD = tar(member("model.pkl", NOISE))


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("model.pkl", b"x")
    return buffer.getvalue()


def _pax(headers: dict[str, str]) -> bytes:
    return gzip.compress(tar(member("fine", pax_headers=headers)))


REFUSED = {
    "empty": (b"", "the archive is empty"),
    "zip": (_zip(), rules.NOT_AN_ARCHIVE),
    "plain tar": (GOOD, rules.NOT_AN_ARCHIVE),
    "gzip of text": (gzip.compress(b"just text " * 100), rules.NOT_AN_ARCHIVE),
    "gzip of little": (gzip.compress(b"x"), rules.TRUNCATED),
    "gzip of nothing": (gzip.compress(b""), rules.NOT_AN_ARCHIVE),
    "truncated": (gzip.compress(GOOD)[:-1000], "truncated"),
    "without trailer": (gzip.compress(GOOD)[:-8], "truncated"),
    "wrong checksum": (gzip.compress(GOOD)[:-8] + b"\0" * 8, "damaged"),
    "flipped": (gzip.compress(GOOD)[:300] + b"\xff\xff\xff" + gzip.compress(GOOD)[303:], "damaged"),
    "parent": (gzip.compress(tar(member("../../etc/x"))), "'../../etc/x' leaves the model folder"),
    "parent inside": (gzip.compress(tar(member("a/../../x"))), "leaves the model folder"),
    "absolute": (gzip.compress(tar(member("/tmp/x"))), "'/tmp/x' has an absolute path"),
    "parent by pax": (_pax({"path": "../x"}), "leaves the model folder"),
    "absolute by pax": (_pax({"path": "/x"}), "absolute"),
    "symbolic link": (
        gzip.compress(tar(member("link", type=tarfile.SYMTYPE, linkname="/etc"), member("link/x"))),
        "'link' is a symbolic link",
    ),
    "hard link": (gzip.compress(tar(member("link", type=tarfile.LNKTYPE, linkname="/etc/passwd"))), "hard link"),
    "device": (gzip.compress(tar(member("dev", type=tarfile.CHRTYPE, devmajor=1, devminor=3))), "character device"),
    "fifo": (gzip.compress(tar(member("pipe", type=tarfile.FIFOTYPE))), "FIFO"),
    "set-user-id": (gzip.compress(tar(member("su", mode=0o4755))), "set-user-id"),
    "unknown type": (gzip.compress(tar(member("odd", type=b"Z"))), "unknown type"),
    "sparse": (_pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}), "sparse"),
    "twice": (gzip.compress(tar(member("x"), member("x"))), "occurs twice"),
    "below a file": (gzip.compress(tar(member("x"), member("x/y"))), "below a file"),
    "file over folder": (gzip.compress(tar(member("x/y"), member("x"))), "occurs twice"),
    "too deep": (gzip.compress(tar(member("d/" * 33 + "x"))), "32 folders deep"),
    "long part": (gzip.compress(tar(member("n" * 256))), "255 bytes"),
    "long name": (gzip.compress(tar(member("n/" * 3000))), "4096 bytes"),
    "huge size": (_pax({"size": str(1 << 50)}), "64 GiB"),
    "negative size": (_pax({"size": "-1"}), "damaged"),
    "NUL in a name": (_pax({"path": "a\0b"}), "damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_archive_is_refused_by_name(tmp_path, case):
    archive, reason = REFUSED[case]
    with pytest.raises(Refused) as caught:
        unpack(archive, tmp_path)
    assert reason in str(caught.value)
    assert {"target"} == {path.name for path in tmp_path.iterdir()}


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    from moorage.runners.process.archive import gunzip

    monkeypatch.setattr(gunzip, "RATIO_FREE_BYTES", 1 << 20)
    with pytest.raises(Refused, match="200 times its size"):
        unpack(gzip.compress(tar(member("zeros", bytes(8 << 20)))), tmp_path)


def test_members_are_counted(tmp_path, monkeypatch):
    from moorage.runners.process.archive import tar as reader

    monkeypatch.setattr(reader, "MEMBERS_MAX", 3)
    with pytest.raises(Refused, match="more than 3 members"):
        unpack(gzip.compress(tar(*(member(str(number)) for number in range(4)))), tmp_path)


@given(
    noise=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6), cut=st.integers(0, 600)
)
@settings(max_examples=60, deadline=None)
def test_damage_is_unpacked_inside_or_refused(tmp_path_factory, noise, cut):
    root = tmp_path_factory.mktemp("damaged")
    damaged = bytearray(GOOD)
    for position, value in noise:
        damaged[position % 700] = value
    with contextlib.suppress(Refused):
        unpack(gzip.compress(bytes(damaged[cut:])), root)
    assert {"target"} == {path.name for path in root.iterdir()}


@given(st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_bytes_of_any_kind_are_unpacked_inside_or_refused(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("noise")
    for archive in (data, gzip.compress(data)):
        with contextlib.suppress(Refused):
            unpack(archive, root)
    assert {"target"} == {path.name for path in root.iterdir()}
