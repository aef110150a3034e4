"""Many callers at once through a real socket: each gets the answer to its own rows, batched or not."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from server_process import ServerProcess

pytest.importorskip("sklearn")
pytestmark = pytest.mark.slow

CALLERS = 16
REQUESTS = 60

SCRIPT = """
import itertools, sys, time

calls = itertools.count()

def model_fn(folder):
    return 1

def predict_fn(data, model):
    if next(calls) < 30:
        time.sleep(0.01)  # so that requests come in meanwhile, however slow their callers are
    if len(data) > 3:
        print("rows of several callers", file=sys.stderr)
    if (data < 0).any():
        raise RuntimeError("a negative row")
    return {"doubled": data * 2, "text": [f"row {row[0]:.0f}" for row in data]}
"""
Start = Callable[..., ServerProcess]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="moorage-") as name:
        yield Path(name)


def _ask_at_once(server: ServerProcess, make: Callable[[int, int], Any]) -> list[tuple[Any, int, Any]]:
    """What each caller asked in each of its requests, the status and what it was answered."""
    all_there = Barrier(CALLERS)

    def call(caller: int) -> list[tuple[Any, int, Any]]:
        connection = server.connect()
        answered = []
        all_there.wait()
        for number in range(REQUESTS):
            asked = make(caller, number)
            status, body = connection.ask(json.dumps(asked).encode())
            answered.append((asked, status, json.loads(body)))
        return answered

    with ThreadPoolExecutor(CALLERS) as callers:
        return [answer for answers in callers.map(call, range(CALLERS)) for answer in answers]


def _rows(caller: int, number: int) -> list[list[float]]:
    first = caller * 1000 + number
    return [[first + 0.25 * row, caller] for row in range(1 + number % 3)]


@pytest.mark.parametrize("batching", ["on", "off"])
def test_a_scripts_rows_are_never_mixed_up(folder: Path, batching: str) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(SCRIPT)
    with contextlib.closing(ServerProcess(folder, MOORAGE_BATCHING=batching)) as server:
        answers = _ask_at_once(server, _rows)
    for rows, status, answer in answers:
        assert 200 == status
        assert [[2 * number for number in row] for row in rows] == answer["doubled"]
        assert [f"row {row[0]:.0f}" for row in rows] == answer["text"]
    assert ("rows of several callers" in server.log()) == (batching == "on")
    assert ("requests are batched from now on" in server.log()) == (batching == "on")


def test_a_bad_row_fails_its_caller_alone(folder: Path) -> None:
    def make(caller: int, number: int) -> list[list[float]]:
        return [[-1.0, 0.0]] if caller == 3 and number > 10 else _rows(caller, number)

    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(SCRIPT)
    with contextlib.closing(ServerProcess(folder, MOORAGE_BATCHING="on")) as server:
        answers = _ask_at_once(server, make)
    for rows, status, answer in answers:
        if rows == [[-1.0, 0.0]]:
            assert (500, {"error": "RuntimeError: a negative row"}) == (status, answer)
        else:
            assert (200, [[2 * number for number in row] for row in rows]) == (status, answer["doubled"])


@pytest.mark.parametrize("compiling", ["on", "off"])
def test_a_forest_answers_everybody_as_scikit_learn_does(folder: Path, compiling: str) -> None:
    import joblib
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    rows, classes = load_iris(return_X_y=True)
    forest = RandomForestClassifier(10, random_state=0).fit(rows, classes)
    joblib.dump(forest, folder / "model.joblib")

    predictions, probabilities = forest.predict(rows).tolist(), forest.predict_proba(rows).tolist()

    def some(caller: int, number: int) -> slice:
        first = (caller * REQUESTS + number) % 140
        return slice(first, first + 1 + number % 3)

    def make(caller: int, number: int) -> Any:
        part = rows[some(caller, number)].tolist()
        return part if number % 4 == 0 else {"instances": part}

    with contextlib.closing(ServerProcess(folder, MOORAGE_COMPILE=compiling)) as server:
        answers = _ask_at_once(server, make)
    for place, (asked, status, answer) in enumerate(answers):
        assert 200 == status
        part = some(*divmod(place, REQUESTS))
        expected: Any = predictions[part]
        if isinstance(asked, dict):
            expected = {"predictions": expected, "probabilities": probabilities[part]}
        assert expected == answer
