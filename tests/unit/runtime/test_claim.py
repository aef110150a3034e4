"""The claim, without forking: two descriptors of one file exclude each other like two processes."""

import os

import pytest

from moorage.runtime.claim import LOCK_NAME, ClaimLost, claim, start_time


@pytest.fixture
def folder(tmp_path):
    (tmp_path / LOCK_NAME).write_text("token\n")
    return tmp_path


def test_the_first_child_with_the_token_gets_it(folder):
    descriptor = claim(folder, "token")
    assert f"token\n{os.getpid()}\n{start_time()}\n" == (folder / LOCK_NAME).read_text()
    with pytest.raises(ClaimLost):
        claim(folder, "token")
    os.close(descriptor)


def test_a_late_child_of_an_earlier_fork_does_not(folder):
    with pytest.raises(ClaimLost):
        claim(folder, "earlier token")


def test_nor_one_that_opened_the_file_before_it_was_replaced(folder, monkeypatch):
    """Between its open and its lock, the agent puts another file in the place."""
    import fcntl

    real = fcntl.flock

    def replace_then_lock(descriptor, operation):
        (folder / "fresh").write_text("token\n")
        (folder / "fresh").rename(folder / LOCK_NAME)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", replace_then_lock)
    with pytest.raises(ClaimLost):
        claim(folder, "token")


def test_nor_one_whose_instance_was_removed(folder):
    (folder / LOCK_NAME).unlink()
    with pytest.raises(ClaimLost):
        claim(folder, "token")
