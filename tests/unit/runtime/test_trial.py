"""A script's predict_fn is batched only if its first answers show that this changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from test_batching import call, loaded, said_of  # noqa: E402

from moorage.runtime.script import Hooks, adapt  # noqa: E402
from moorage.runtime.toolkit import LoadedModel  # noqa: E402
from moorage.runtime.trial import is_same  # noqa: E402


def scripted(predict: Callable[..., Any], **others: Callable[..., Any]) -> tuple[LoadedModel, list[str]]:
    arguments = {"input_fn": 2, "output_fn": 2, "transform_fn": 4}
    hooks = {name: adapt(function, arguments[name]) for name, function in others.items()}
    said: list[str] = []
    return loaded(None, said, Hooks(predict_fn=adapt(predict, 2), **hooks), batching="on"), said


def ask_some(model: LoadedModel, numbers: range | list[int]) -> None:
    for number in numbers:
        assert model.calls_max == 1
        model.answer_all([call(b"[[%d, 1]]" % number)])


def test_a_function_of_each_row_is_batched_after_three_different_requests() -> None:
    asked: list[int] = []

    def predict(data: Any, model: Any) -> Any:
        asked.append(len(data))
        return {"sums": data.sum(axis=1).tolist(), "firsts": data[:, 0]}

    model, said = scripted(predict)
    ask_some(model, [1, 1, 2, 2, 3])
    assert model.calls_max > 1
    assert ["requests are batched from now on: predict_fn answered some together as it had each alone"] == said
    asked.clear()
    outcomes = model.answer_all([call(b"[[%d, 1]]" % number) for number in range(3)])
    assert [b'{"sums":[%d],"firsts":[%d]}' % (number + 1, number) for number in range(3)] == [
        said_of(outcome)[1] for outcome in outcomes
    ]
    assert [3] == asked


@pytest.mark.parametrize(
    ("predict", "reason"),
    [
        (lambda data, model: (data - data.mean()).tolist(), "it answers a request differently when there are others"),
        (lambda data, model: data[::-1, 0], "it answers a request differently when there are others"),
        (lambda data, model: [data.sum()], "it answers 3 rows with 1"),
        (lambda data, model: float(data.sum()), "it answers with a float, which has no rows"),
        (lambda data, model: data.reshape(2), "it fails for several requests together: ValueError: cannot reshape"),
        (lambda data, model: iter("ab"), "it answers with a str_ascii_iterator, which has no rows"),
    ],
)
def test_any_other_is_not(predict: Callable[..., Any], reason: str) -> None:
    model, said = scripted(predict)
    ask_some(model, range(3))
    assert 1 == model.calls_max
    assert said[0].startswith(f"requests are not batched, for this is what predict_fn does: {reason}")


def test_data_without_rows_is_not_batched() -> None:
    model, said = scripted(lambda data, model: data, input_fn=lambda body, content_type: body)
    model.answer_all([call(b"text", content_type="text/plain")])
    assert "its data, of type str, has no rows that could be joined" in said[0]


def test_what_cannot_be_tried_is_said_at_once() -> None:
    async def predict(data: Any, model: Any) -> Any:
        return data

    for function, reason in [
        (lambda data, model, context: data, "predict_fn takes the context"),
        (predict, "one of the script's hooks is asynchronous"),
    ]:
        _, said = scripted(function)
        assert said[0].startswith(f"requests are not batched: {reason}")
    said = []
    loaded(None, said, Hooks(transform_fn=adapt(lambda model, body, kind, accept: body, 4)), batching="on")
    assert said[0].startswith("requests are not batched: a transform_fn")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.001, False),
        (float("nan"), float("nan"), True),
        (1, 1.0, False),
        ([1, {"a": (2.0,)}], [1, {"a": (2.0,)}], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"b": 1}, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0]), np.array([1.0], dtype=np.float32), False),
        (np.array(["a"]), np.array(["b"]), False),
        ("a", "a", True),
    ],
)
def test_what_counts_as_the_same(one: Any, other: Any, same: bool) -> None:
    assert same == is_same(one, other)
