import io

import numpy as np
import pytest

from moorage.runtime.failures import RequestRefused
from moorage.runtime.frameworks.tensorflow_bodies import Asked, Outputs, decode, encode
from moorage.runtime.media import CSV, JSON, NPY


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b"[[1, 2]]", Asked([[1, 2]])),
        (b'{"instances": [[1, 2]]}', Asked([[1, 2]])),
        (b'{"signature_name": "other", "instances": [{"a": 1}, {"a": 2}]}', Asked({"a": [1, 2]}, signature="other")),
        (b'{"inputs": {"a": [1, 2]}}', Asked({"a": [1, 2]}, is_columnar=True)),
        (b'{"instances": [{"b64": "/w=="}, "text"]}', Asked([b"\xff", "text"])),
        (b'{"instances": [{"image": {"b64": "AAE="}}]}', Asked({"image": [b"\x00\x01"]})),
        (b'{"instances": []}', Asked([])),
    ],
)
def test_requests_by_row_and_by_column(body, asked):
    assert asked == decode(body, JSON)


def test_a_table_is_rows():
    assert [[1, 2], [3, 4]] == decode(b"1,2\n3,4\n", CSV).values.tolist()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"7",
        b"{}",
        b'{"instances": [1], "inputs": [1]}',
        b'{"instances": [{"a": 1}, {"b": 1}]}',
        b'{"instances": [{"a": 1}, 1]}',
        b'{"instances": [{"b64": "not base64!"}]}',
        b'{"instances": [{"b64": 7}]}',
        b'{"signature_name": ["a"], "instances": [1]}',
    ],
)
def test_broken_bodies_are_refused(body):
    with pytest.raises(RequestRefused) as refused:
        decode(body, JSON)
    assert 400 == refused.value.status


ONE = {"y": np.asarray([[0.5], [1.5]], dtype=np.float32)}
TWO = {"n": np.asarray([1, 2]), "text": np.asarray([b"a", b"\xff"], dtype=object)}


@pytest.mark.parametrize(
    ("arrays", "is_columnar", "body"),
    [
        (ONE, False, b'{"predictions":[[0.5],[1.5]]}'),
        (ONE, True, b'{"outputs":[[0.5],[1.5]]}'),
        (TWO, False, b'{"predictions":[{"n":1,"text":"a"},{"n":2,"text":{"b64":"/w=="}}]}'),
        (TWO, True, b'{"outputs":{"n":[1,2],"text":["a",{"b64":"/w=="}]}}'),
    ],
)
def test_answers_have_the_form_of_their_requests(arrays, is_columnar, body):
    assert body == encode(Outputs(arrays, is_columnar=is_columnar), JSON)


def test_arrays_and_tables_for_who_asks_for_them():
    assert ONE["y"].tolist() == np.load(io.BytesIO(encode(Outputs(ONE, is_columnar=False), NPY))).tolist()
    assert b"0.5\n1.5\n" == encode(Outputs(ONE, is_columnar=False), CSV)
    with pytest.raises(RequestRefused, match="several outputs"):
        encode(Outputs(TWO, is_columnar=False), CSV)


def test_what_a_script_predicted_is_written_as_it_is():
    assert b"[1,2]" == encode([1, 2], JSON)
