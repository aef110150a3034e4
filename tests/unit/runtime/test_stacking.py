"""Joining and splitting are each other's inverse, and what cannot be told apart is not joined."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from moorage.runtime.stacking import NotRows, join, kind, rows, split  # noqa: E402

counts = st.lists(st.integers(1, 4), min_size=1, max_size=5)


def _array(start: int, count: int) -> Any:
    return np.arange(start, start + 2 * count, dtype=float).reshape(count, 2)


def _make(shape: str, start: int, count: int) -> Any:
    array = _array(start, count)
    return {"array": array, "list": array.tolist(), "dict": {"a": array, "b": array.tolist()}}[shape]


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _plain(part) for name, part in data.items()}
    return data.tolist() if hasattr(data, "tolist") else data


@given(shape=st.sampled_from(["array", "list", "dict"]), counts=counts)
def test_what_was_joined_can_be_split_again(shape: str, counts: list[int]) -> None:
    parts = [_make(shape, 100 * number, count) for number, count in enumerate(counts)]
    assert 1 == len({kind(part) for part in parts})
    assert counts == [rows(part) for part in parts]
    assert [_plain(part) for part in parts] == [_plain(part) for part in split(join(parts), counts)]


def test_a_tuple_is_split_part_by_part() -> None:
    assert [([1], [[1, 1]]), ([2], [[2, 2]])] == split(([1, 2], [[1, 1], [2, 2]]), [1, 1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros((1, 2)), np.zeros((1, 3))),
        (np.zeros((1, 2)), np.zeros((1, 2), dtype=int)),
        (np.zeros((1, 2)), [[0.0, 0.0]]),
        ([1], ["text"]),
        ({"a": [1]}, {"b": [1]}),
    ],
)
def test_what_differs_in_kind_is_kept_apart(one: Any, other: Any) -> None:
    assert kind(one) is not None
    assert kind(one) != kind(other)


@pytest.mark.parametrize(
    "data", [np.float64(1), np.array(1), np.array([{}]), "text", 1, None, [], {}, {"a": [1], "b": [1, 2]}, {"a": 1}]
)
def test_what_has_no_rows_stays_alone(data: Any) -> None:
    assert kind(data) is None


@pytest.mark.parametrize(
    ("prediction", "reason"),
    [
        ([1, 2], "it answers 3 rows with 2"),
        (np.zeros(4), "it answers 3 rows with 4"),
        ({"a": [1, 2, 3], "b": [1]}, "it answers 3 rows with 1"),
        ({}, "it answers with an empty dict"),
        ([{"a": 1}], "it answers 3 rows with 1"),
        ("abc", "it answers with a str, which has no rows"),
        (np.array(1), "it answers with a ndarray, which has no rows"),
        (iter("abc"), "it answers with a str_ascii_iterator, which has no rows"),
    ],
)
def test_a_prediction_without_a_row_for_each_row_is_not_split(prediction: Any, reason: str) -> None:
    with pytest.raises(NotRows, match=reason):
        split(prediction, [1, 2])


def test_tables_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    parts = [pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.DataFrame({"a": [3], "b": ["z"]})]
    assert 1 == len({kind(part) for part in parts})
    assert all(
        one.equals(other.reset_index(drop=True)) for one, other in zip(parts, split(join(parts), [2, 1]), strict=True)
    )


def test_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch")
    parts = [torch.ones(2, 3), torch.zeros(1, 3)]
    assert 1 == len({kind(part) for part in parts})
    assert all(map(torch.equal, parts, split(join(parts), [2, 1])))
