import io
import json
import struct

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from moorage.runtime import codecs  # noqa: E402
from moorage.runtime.failures import RequestRefused  # noqa: E402
from moorage.runtime.media import CSV, JSON, NPY  # noqa: E402

finite = st.floats(allow_nan=False, allow_infinity=False)
matrices = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(finite, min_size=width, max_size=width), min_size=1, max_size=5)
)


@given(matrices)
def test_numbers_keep_their_precision_in_every_format(rows):
    array = np.array(rows)
    for media in (JSON, CSV, NPY):
        assert np.array_equal(array, codecs.decode(codecs.encode(array, media), media).data)


@pytest.mark.parametrize(
    ("body", "rows", "enveloped"),
    [
        (b'{"instances": [[1, 2], [3, 4]]}', [[1, 2], [3, 4]], True),
        (b'{"inputs": [[1, 2]], "other": 1}', [[1, 2]], True),
        (b"[[1, 2], [3, 4]]", [[1, 2], [3, 4]], False),
        (b"[1, 2]", [[1, 2]], False),
        (b'["some text", "more"]', ["some text", "more"], False),
        (b'{"instances": ["some text"]}', ["some text"], True),
    ],
)
def test_json_shapes(body, rows, enveloped):
    decoded = codecs.decode(body, JSON)
    assert (rows, enveloped) == (decoded.data.tolist(), decoded.enveloped)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"[[1, null], [2.5, 3]]", [[1.0, None], [2.5, 3.0]]),
        (b"[1, null, true]", [[1.0, None, 1.0]]),
        (b'{"instances": [[null]]}', [[None]]),
        (b"[[1, 2]]", [[1, 2]]),
        (b"[%d]" % 10**30, [[1e30]]),
    ],
)
def test_null_is_a_missing_number_in_a_table(body, rows):
    found = codecs.decode_table(body, JSON)
    assert rows == [[None if value != value else value for value in row] for row in found.data.tolist()]
    assert found.data.dtype.kind in "if"
    assert (b"instances" in body) == found.enveloped


@pytest.mark.parametrize("body", [b'["a", null]', b'[{"a": 1}]', b'{"instances": [null, "b"]}'])
def test_null_among_other_things_stays_what_it_is(body):
    assert "O" == codecs.decode_table(body, JSON).data.dtype.kind


def test_a_number_beyond_all_floats_is_the_requests_fault():
    with pytest.raises(RequestRefused, match="int too large to convert to float"):
        codecs.decode_table(b"[[1%b]]" % (b"0" * 400), JSON)


def test_csv_is_always_a_table():
    assert [[5.1, 3.5]] == codecs.decode(b"5.1,3.5", CSV).data.tolist()
    assert [[1.0], [2.0]] == codecs.decode("\ufeff1\r\n2\r\n".encode(), CSV).data.tolist()


def test_an_empty_csv_field_is_not_a_number():
    for body in (b"1,,3", b",1,3", b"1,3,", b"1, ,3\r\n"):
        row = codecs.decode(body, CSV).data[0].tolist()
        assert (3, 1) == (len(row), sum(value != value for value in row))


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{", JSON, 400),
        (b"\xff\xfe\xfd", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"data": []}', JSON, 400),
        (b"3", JSON, 400),
        (b'{"instances": [[1], [1, 2]]}', JSON, 400),
        (b"", CSV, 400),
        (b"a,b", CSV, 400),
        (b"1,2\n3", CSV, 400),
        (b"\xff,1", CSV, 400),
        (b"", NPY, 400),
        (b"not an array", NPY, 400),
        (b"x", "application/x-image", 415),
        (b"x", "", 415),
    ],
)
def test_a_broken_body_is_the_requests_fault(body, media, status):
    with pytest.raises(RequestRefused) as caught:
        codecs.decode(body, media)
    assert status == caught.value.status


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': v3, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
        "{'descr': '(3,xf8', 'fortran_order': True, 'shape': (2,), }",
    ],
)
def test_a_broken_header_of_npy_is_the_requests_fault(header):
    body = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n" + bytes(16)
    with pytest.raises(RequestRefused) as caught:
        codecs.decode(body, NPY)
    assert 400 == caught.value.status


def test_an_archive_of_arrays_is_no_array():
    buffer = io.BytesIO()
    np.savez(buffer, rows=np.eye(2))
    with pytest.raises(RequestRefused, match="magic string"):
        codecs.decode(buffer.getvalue(), NPY)


def test_a_pickle_in_npy_is_never_loaded():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RequestRefused):
        codecs.decode(buffer.getvalue(), NPY)


def test_predictions_in_every_format():
    labels = np.array(["setosa", "virginica"])
    assert ["setosa", "virginica"] == json.loads(codecs.encode(labels, JSON))
    assert b"setosa\nvirginica\n" == codecs.encode(labels, CSV)
    assert b"1,2\n3,4\n" == codecs.encode(np.array([[1, 2], [3, 4]]), CSV)
    assert b"7\n" == codecs.encode(np.float64(7).astype(int), CSV)
    assert b"" == codecs.encode(np.empty((0, 3)), CSV)
    assert b"" == codecs.encode([], CSV)
    assert {"a": [1], "b": 2} == json.loads(codecs.encode({"a": np.array([1]), "b": np.int64(2)}, JSON))


def test_an_answer_type_we_do_not_write():
    with pytest.raises(RequestRefused) as caught:
        codecs.encode([1], "image/png")
    assert 406 == caught.value.status
