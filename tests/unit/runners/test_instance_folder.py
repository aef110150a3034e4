"""An instance's folder: what is in it at every moment, and who may claim it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moorage.core.model import (
    Container,
    DataForm,
    EndpointKey,
    InstanceId,
    InstanceSpec,
    InstanceState,
    ModelData,
    Variant,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process import folder as folders
from moorage.runners.process.folder import Record
from moorage.runners.process.procfs import Identity, say_status
from moorage.runners.process.staging import ContainerData
from moorage.runtime.claim import ClaimLost, claim, start_time

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
SPEC = InstanceSpec(
    InstanceId("i-0123456789abcdef0"),
    EndpointKey("us-east-1", "iris"),
    "uid",
    1,
    0,
    Variant("AllTraffic", "iris", (Container("image", ModelData("s3://b/k"), {"A": "1"}),), "ml.m5.large", 1),
)
RECORD = Record(spec=SPEC, data=(ContainerData("d" * 64),), state=InstanceState.STARTING, since=NOW)


def files_at(path: Path) -> tuple[ContainerFiles, ...]:
    return (ContainerFiles(ModelFiles(DataForm.ARCHIVE, "d" * 64, (ModelFile("model.tar.gz", path),))),)


@pytest.fixture
def made(tmp_path):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"archive")
    parent = tmp_path / "instances"
    parent.mkdir()
    return folders.create(parent, RECORD, files_at(archive))


def test_a_folder_appears_with_its_record_and_archive(made):
    assert RECORD == made.read()
    assert b"archive" == (made.data / ("d" * 64)).read_bytes()
    assert [SPEC.id] == [path.name for path in made.path.parent.iterdir()]


def test_nothing_is_left_of_a_folder_that_could_not_be_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        folders.create(tmp_path, RECORD, files_at(tmp_path / "no such archive"))
    assert [] == list(tmp_path.iterdir())


def test_what_was_half_made_or_half_removed_is_swept(made):
    parent = made.path.parent
    (parent / ".new-i-1").mkdir()
    (parent / ".gone-i-2").mkdir()
    assert [made.path] == [found.path for found in folders.find_all(parent)]
    assert [made.path] == list(parent.iterdir())


def test_a_claim_is_seen_while_it_is_held_and_after(made):
    descriptor = claim(made.path, made.open_claim({}))
    ourselves = Identity(os.getpid(), start_time())
    assert (ourselves, True) == ((seen := made.close_claim()).identity, seen.is_held)
    os.close(descriptor)
    assert (ourselves, False) == ((seen := made.close_claim()).identity, seen.is_held)


def test_a_closed_claim_cannot_be_made_any_more(made):
    token = made.open_claim({})
    assert not made.close_claim().is_held
    with pytest.raises(ClaimLost):
        claim(made.path, token)


def test_opening_a_claim_again_shuts_out_who_was_asked_before(made):
    earlier = made.open_claim({})
    later = made.open_claim({})
    with pytest.raises(ClaimLost):
        claim(made.path, earlier)
    os.close(claim(made.path, later))


def test_a_removed_folder_takes_its_claim_along(made):
    token = made.open_claim({})
    made.remove()
    assert [] == list(made.path.parent.iterdir())
    with pytest.raises(ClaimLost):
        claim(made.path, token)


@pytest.mark.parametrize(
    ("status", "said"),
    [(None, "ended"), (3 << 8, "exited with code 3"), (9, "was killed by SIGKILL"), (0x8B, "was killed by SIGSEGV")],
)
def test_how_a_process_ended(status, said):
    assert said == say_status(status)
