"""What becomes of a user's files: every kind of source, and the same bytes for the same content."""

import os
import tarfile
from pathlib import Path

import pytest

from moorage.cli.deploy.packing import pack
from moorage.cli.failures import Failure


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive, "r:gz") as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]


def folder_of(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize("name", ["forest.pkl", "model.joblib", "model.onnx", "booster.json", "xgboost-model"])
def test_a_model_file_is_packed_alone_under_its_own_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"weights")

    packed = pack(tmp_path / name, tmp_path / "out.tar.gz")

    assert {name: b"weights"} == members(packed.path)


def test_a_folder_is_packed_as_it_lies_without_what_tools_leave_in_it(tmp_path: Path) -> None:
    kept = {"model.pkl": "m", "code/inference.py": "i", "code/lib/helpers.py": "h"}
    left_out = {"code/__pycache__/inference.pyc": "x", ".git/HEAD": "x"}
    folder = folder_of(tmp_path / "source", kept | left_out)

    packed = pack(folder, tmp_path / "out.tar.gz")

    assert kept.keys() == members(packed.path).keys()


def test_the_same_content_makes_the_same_archive(tmp_path: Path) -> None:
    first = folder_of(tmp_path / "first", {"b.txt": "b", "a.txt": "a"})
    second = folder_of(tmp_path / "second", {"a.txt": "a", "b.txt": "b"})
    os.utime(second / "a.txt", (1, 1))
    (second / "b.txt").chmod(0o600)

    digests = {pack(folder, tmp_path / f"{folder.name}.tar.gz").digest for folder in (first, second)}

    assert 1 == len(digests)


def test_a_finished_archive_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "source", {"model.pkl": "m"})
    finished = pack(folder, tmp_path / "finished.tar.gz")

    packed = pack(finished.path, tmp_path / "out.tar.gz")

    assert finished.path.read_bytes() == packed.path.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.doc", "cannot be deployed"),
        ("model.tar.gz", "is not a gzip-compressed tar archive"),
        ("model.tgz", "is not a gzip-compressed tar archive"),
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"not a model")

    with pytest.raises(Failure, match=said) as refused:
        pack(tmp_path / name, tmp_path / "out.tar.gz")

    assert "a model file (.pkl, " in refused.value.message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(Failure, match="has no files"):
        pack(tmp_path / "empty", tmp_path / "out.tar.gz")
