"""Our JSON is the standard library's but for its spelling."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from hypothesis import example, given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from moorage.runtime import jsontext  # noqa: E402

keys = st.one_of(st.text(), st.integers(), st.booleans(), st.none())  # of floats, the spelling would differ
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(keys, inner), st.tuples(inner)),
    max_leaves=10,
)


def outcome(function: Any, *arguments: Any) -> str:
    try:
        return repr(function(*arguments))
    except (ValueError, TypeError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"


@given(values)
@example({"a": [math.nan, math.inf, -math.inf, -0.0, 1e-320, 1e300, 5e-324]})
@example([2**53 + 1, 2**64, -(2**63), 10**400])
@example({2: "a", True: "b", None: "c", 1.5: "d"})
@example(["\ud800", "\x00\x1f\x7f", "null"])
def test_what_is_written_reads_as_the_standard_librarys(value: Any) -> None:
    def theirs(value: Any) -> Any:
        return json.loads(json.dumps(value))

    assert outcome(theirs, value) == outcome(lambda value: json.loads(jsontext.dumps(value)), value)


@given(values.map(lambda value: json.dumps(value).encode()), st.integers(0, 40), st.binary(max_size=2))
@example(b'{"a": 1, "a": 2}', 0, b"")
@example(b"1e400", 0, b"")
@example(b"\xef\xbb\xbf[1]", 0, b"")
@example('["a"]'.encode("utf-16"), 0, b"")
@example(b"[" * 3000, 0, b"")
def test_what_is_read_is_what_the_standard_library_reads(body: bytes, place: int, spoilt: bytes) -> None:
    for text in (body, body[:place] + spoilt + body[place + len(spoilt) :]):
        assert outcome(json.loads, text) == outcome(jsontext.loads, text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ({"a": np.float64(0.1), "b": np.float32(0.5), "c": np.int64(3), "d": np.bool_(True)},) * 2,
        (np.array(["x", "y"]), ["x", "y"]),
        ([np.str_("x")], ["x"]),
        (np.array([0.1, 1e-7, 1e22]), [0.1, 1e-7, 1e22]),
    ],
)
def test_arrays_and_scalars_of_numpy(value: Any, expected: Any) -> None:
    assert expected == json.loads(jsontext.dumps(value))


def test_what_is_no_number_is_not_hidden() -> None:
    assert "[NaN, Infinity, -Infinity]" == jsontext.dumps(np.array([np.nan, np.inf, -np.inf])).decode()


def test_what_cannot_be_written_is_named() -> None:
    with pytest.raises(TypeError, match="A object cannot be written as JSON"):
        jsontext.dumps({"a": object()})
