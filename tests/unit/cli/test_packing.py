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


@pytest.mark.parametrize(("source", "member"), [("forest.pkl", "model.pkl"), ("forest.joblib", "model.joblib")])
def test_a_model_file_gets_the_name_that_the_runtime_looks_for(tmp_path: Path, source: str, member: str) -> None:
    (tmp_path / source).write_bytes(b"weights")

    packed = pack(tmp_path / source, tmp_path / "out.tar.gz")

    assert {member: b"weights"} == members(packed.path)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"model.pkl": "m", "code/inference.py": "c"}, {"model.pkl", "code/inference.py"}),
        (
            {"model.pkl": "m", "inference.py": "c", "helpers.py": "h"},
            {"model.pkl", "code/inference.py", "code/helpers.py"},
        ),
        ({"model.pkl": "m", "requirements.txt": "r"}, {"model.pkl", "code/requirements.txt"}),
        ({"model.pkl": "m", "lib/x.py": "x", "code/inference.py": "c"}, {"model.pkl", "lib/x.py", "code/inference.py"}),
        ({"model.pkl": "m", "code/__pycache__/x.pyc": "x", ".git/HEAD": "h"}, {"model.pkl"}),
    ],
)
def test_a_folder_is_laid_out_as_sagemaker_wants_it(tmp_path: Path, files: dict[str, str], names: set[str]) -> None:
    folder = folder_of(tmp_path / "source", files)

    packed = pack(folder, tmp_path / "out.tar.gz")

    assert names == set(members(packed.path))


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
        ("model.onnx", "cannot be deployed"),
        ("model.tar.gz", "is not a gzip-compressed tar archive"),
        ("model.tgz", "is not a gzip-compressed tar archive"),
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"not a model")

    with pytest.raises(Failure, match=said) as refused:
        pack(tmp_path / name, tmp_path / "out.tar.gz")

    assert "a .pkl or .joblib file, a folder, or a .tar.gz archive" in refused.value.message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(Failure, match="has no files"):
        pack(tmp_path / "empty", tmp_path / "out.tar.gz")
