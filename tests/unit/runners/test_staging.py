"""What a launch brings of model data: linked where that can be, and made a read-only folder once."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.core.model import DataForm
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process.container_folders import ContainerFolders, folders_of, unpack
from moorage.runners.process.models import ArchiveRefused, ModelFolders, UnpackFailed
from moorage.runners.process.staging import data_of, stage
from moorage.testing.models import archive


def packed(folder: Path, data: bytes) -> ModelFiles:
    path = folder / "archive"
    path.write_bytes(data)
    return ModelFiles(DataForm.ARCHIVE, hashlib.sha256(data).hexdigest(), (ModelFile("model.tar.gz", path),))


def loose(folder: Path, *names: str) -> ModelFiles:
    """Files in a cache, each holding its name."""
    folder.mkdir(exist_ok=True)
    files = []
    for number, name in enumerate(names):
        path = folder / str(number)
        path.write_text(name)
        path.chmod(0o444)
        files.append(ModelFile(name, path))
    return ModelFiles(DataForm.PREFIX, hashlib.sha256(repr(names).encode()).hexdigest(), tuple(files))


@pytest.fixture
def models(tmp_path: Path) -> ModelFolders:
    folders = ModelFolders(tmp_path / "models")
    folders.sweep()
    return folders


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def put_in_place(staged: Path, models: ModelFolders, files: ContainerFiles) -> ContainerFolders:
    stage(staged, [files])
    [data] = data_of([files])
    await unpack(data, staged, models)
    return folders_of(data, models, empty=staged)


async def test_files_become_a_read_only_folder_of_links(tmp_path: Path, models: ModelFolders, staged: Path) -> None:
    files = loose(tmp_path / "cache", "weights.bin", "code/inference.py", "code/deep/words.txt")
    folders = await put_in_place(staged, models, ContainerFiles(files))
    for file in files.files:
        found = folders.model / file.name
        assert file.name == found.read_text()
        assert file.path.stat().st_ino == found.stat().st_ino
    modes = {path.stat().st_mode & 0o777 for path in [folders.model, *folders.model.rglob("*")] if path.is_dir()}
    assert {0o555} == modes
    assert [] == list(staged.iterdir())


async def test_each_thing_a_container_needs_has_a_folder(tmp_path: Path, models: ModelFolders, staged: Path) -> None:
    draft = loose(tmp_path / "draft", "draft.bin")
    code = packed(tmp_path, archive({"serve.py": b"pass"}))
    folders = await put_in_place(staged, models, ContainerFiles(None, (("draft", draft),), code))
    assert staged == folders.model
    assert "draft.bin" == (folders.channels["draft"] / "draft.bin").read_text()
    assert folders.code is not None
    assert b"pass" == (folders.code / "serve.py").read_bytes()


async def test_what_is_in_place_is_not_put_there_again(tmp_path: Path, models: ModelFolders) -> None:
    files = ContainerFiles(loose(tmp_path / "cache", "weights.bin"))
    [data] = data_of([files])
    done = []
    for number in range(2):
        staged = tmp_path / f"data-{number}"
        stage(staged, [files, files])
        done.append(await unpack(data, staged, models))
        assert [] == list(staged.iterdir())
    assert [["put 1 file in place"], []] == done


async def test_a_fault_says_whose_it_is(tmp_path: Path, models: ModelFolders, staged: Path) -> None:
    with pytest.raises(ArchiveRefused, match="channel words: the archive is not a gzip-compressed tar archive"):
        await put_in_place(staged, models, ContainerFiles(channels=(("words", packed(tmp_path, b"words")),)))


async def test_what_was_staged_and_is_gone_is_a_failure_of_this_machine(
    tmp_path: Path, models: ModelFolders, staged: Path
) -> None:
    files = ContainerFiles(loose(tmp_path / "cache", "weights.bin"))
    stage(staged, [files])
    shutil.rmtree(staged)
    with pytest.raises(UnpackFailed):
        await unpack(data_of([files])[0], staged, models)


def test_a_file_that_is_gone_is_no_reason_to_copy(tmp_path: Path, staged: Path) -> None:
    files = loose(tmp_path / "cache", "weights.bin")
    files.files[0].path.unlink()
    with pytest.raises(FileNotFoundError):
        stage(staged, [ContainerFiles(files)])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system at /dev/shm")
    path = Path(tempfile.mkdtemp(dir=memory))
    yield path
    shutil.rmtree(path)


def test_from_another_file_system_it_is_copied(elsewhere: Path, staged: Path) -> None:
    files = loose(elsewhere, "code/inference.py")
    stage(staged, [ContainerFiles(files)])
    copy = staged / files.digest / "code" / "inference.py"
    assert "code/inference.py" == copy.read_text()
    assert 0o444 == copy.stat().st_mode & 0o777
    assert os.stat(elsewhere).st_dev != copy.stat().st_dev
