"""Which user an instance gets, and that nobody else's processes are ever taken for its own."""

import os

import pytest

from moorage.runners.process.isolation.users import NoUserLeft, UserRange, Users
from moorage.runners.process.procfs import kill_user

RANGE = UserRange(3_000_000_000, 3)


def test_users_are_given_out_in_turn() -> None:
    users = Users(RANGE)
    given = [users.take(()) for _ in range(6)]
    assert {3_000_000_000, 3_000_000_001, 3_000_000_002} == set(given)
    assert given[:3] == given[3:]


def test_an_owner_of_a_folder_is_left_out() -> None:
    users = Users(RANGE)
    assert {3_000_000_001} == {users.take({3_000_000_000, 3_000_000_002}) for _ in range(4)}


def test_an_owner_of_a_process_is_left_out() -> None:
    with pytest.raises(NoUserLeft, match="has files or processes"):
        Users(UserRange(os.geteuid(), 1)).take(())


def test_a_range_without_a_free_user_is_said_to_have_none() -> None:
    with pytest.raises(NoUserLeft, match="from 3000000000 on, 3 of them"):
        Users(RANGE).take({3_000_000_000, 3_000_000_001, 3_000_000_002})


@pytest.mark.parametrize("user", [0, os.geteuid()])
def test_our_own_processes_and_roots_are_never_killed(user) -> None:
    with pytest.raises(ValueError, match=f"user {user} is not an instance's"):
        kill_user(user)


def test_a_user_without_processes_has_none_to_kill() -> None:
    assert not kill_user(RANGE.first)
