"""So many requests at once over all workers: each worker has the file open by itself, as here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.core.model import EndpointKey, VariantKey
from moorage.gateway.turnstile import Turnstile, first_byte

IRIS = first_byte(VariantKey(EndpointKey("us-east-1", "iris"), "AllTraffic"))
ROSES = first_byte(VariantKey(EndpointKey("us-east-1", "roses"), "AllTraffic"))


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Turnstile]]:
    workers = [Turnstile(tmp_path / "turnstile") for _ in range(3)]
    yield workers
    for worker in workers:
        worker.close()


def test_all_workers_together_let_in_so_many_and_no_more(workers: list[Turnstile]) -> None:
    inside = [workers[number % 3].enter(IRIS, 5) for number in range(9)]
    assert 5 == sum(turn is not None for turn in inside)
    assert 5 == len(set(inside) - {None})
    assert inside[0] is not None
    workers[0].leave(inside[0])
    assert [True, False] == [workers[number].enter(IRIS, 5) is not None for number in (2, 1)]


def test_one_worker_may_have_them_all(workers: list[Turnstile]) -> None:
    assert 200 == len({workers[0].enter(IRIS, 200) for _ in range(200)} - {None})
    assert workers[0].enter(IRIS, 200) is None


def test_variants_do_not_count_for_each_other(workers: list[Turnstile]) -> None:
    assert workers[0].enter(IRIS, 1) is not None
    assert workers[0].enter(ROSES, 1) is not None
    assert workers[1].enter(ROSES, 1) is None


def test_what_a_worker_that_died_had_is_free(tmp_path: Path, workers: list[Turnstile]) -> None:
    child = os.fork()
    if not child:
        taken = Turnstile(tmp_path / "turnstile").enter(IRIS, 1)
        os._exit(taken is None)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert workers[0].enter(IRIS, 1) is not None


def test_the_file_stays_empty(tmp_path: Path, workers: list[Turnstile]) -> None:
    workers[0].enter(IRIS, 3)
    assert 0 == (tmp_path / "turnstile").stat().st_size
