"""The quick way to read CSV against numpy's own reader, which decides what is right."""

import pytest

pytest.importorskip("numpy")

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from moorage.runtime import csvtext
from moorage.runtime.failures import RequestRefused

FIELDS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text(alphabet="0123456789+-.eE_naif xX\t\v\f\x1c\x00#\"'\ufeff١", max_size=6),
)
BODIES = st.lists(st.lists(FIELDS, min_size=1, max_size=4).map(",".join), min_size=1, max_size=4).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\n\n", "\r"]).map(lambda end: end.join(lines))
)


@given(BODIES, st.sampled_from(["", "\n", "\r\n"]))
@example("1e400,-1e400", "")
@example("1,2\n3,4", "\n")
@example("nan,inf,-Infinity", "\n")
@example("1_0", "")
@example("\x0b1,\x1c2", "")
def test_what_is_read_quickly_is_read_the_same_thoroughly(text, end):
    body = (text + end).encode()
    quick = csvtext._read_quickly(body)
    if quick is not None:
        thorough = csvtext._read_thoroughly(body)
        assert (thorough.shape, thorough.dtype) == (quick.shape, quick.dtype)
        np.testing.assert_array_equal(thorough, quick)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"1,2,3", [[1, 2, 3]]),
        (b"1,2\n3,4\n", [[1, 2], [3, 4]]),
        (b"1\r\n2\r\n", [[1], [2]]),
        (b"1,,3", [[1, np.nan, 3]]),
        (b"\xef\xbb\xbf1,2", [[1, 2]]),
        (b" 1 ,\t2 \n\n3,4", [[1, 2], [3, 4]]),
    ],
)
def test_rows(body, expected):
    np.testing.assert_array_equal(np.array(expected, float), csvtext.read_rows(body))


def test_one_row_and_many_are_read_without_loadtxt():
    assert csvtext._read_quickly(b"1.5,-2e3") is not None
    assert csvtext._read_quickly(b"1.5,-2e3\n3,4\n") is not None


@pytest.mark.parametrize("body", [b"", b" \n", b"\n"])
def test_an_empty_body_is_refused(body):
    with pytest.raises(RequestRefused, match="The CSV body is empty"):
        csvtext.read_rows(body)


@pytest.mark.parametrize("body", [b"1_0,2", b"a,b", b"1,2\n3", b"1;2", b"\xff"])
def test_what_is_no_number_or_no_table_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's words, of any version
        csvtext.read_rows(body)
