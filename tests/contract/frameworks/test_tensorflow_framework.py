"""TensorFlow models answer as their signatures do, in TensorFlow Serving's words."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed here: its models are served, untested")

from moorage.runtime.failures import ModelUnusable, RequestRefused  # noqa: E402
from moorage.runtime.frameworks.tensorflow import FRAMEWORK, find_saved_model  # noqa: E402
from moorage.runtime.media import CSV, JSON, NPY  # noqa: E402

ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 4.0]]


class _Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([[1.0, 0.5], [-2.0, 0.25], [3.0, -1.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def scores(self, x):
        return {"scores": tf.matmul(x, self.weights)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x"), tf.TensorSpec([None], tf.int64, name="n")]
    )
    def both(self, x, n):
        return {"sum": tf.reduce_sum(x, axis=1), "tripled": n * 3}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def joined(self, text):
        return {"joined": tf.strings.join([text, text])}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    module = _Module()
    folder = tmp_path_factory.mktemp("saved")
    signatures = {"serving_default": module.scores, "both": module.both, "joined": module.joined}
    tf.saved_model.save(module, str(folder / "1"), signatures=signatures)
    return folder


@pytest.fixture(scope="session")
def model(folder):
    return FRAMEWORK.serve(FRAMEWORK.load(folder, {}), {}, print, predicts=True)


def _answer(model, body, media=JSON, accept=JSON):
    decoded = model.decode(body if isinstance(body, bytes) else json.dumps(body).encode(), media)
    return model.encode(model.predict(decoded.data, detailed=decoded.enveloped), accept)


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ({"instances": ROWS}, JSON),
        ({"signature_name": "serving_default", "instances": [{"x": row} for row in ROWS]}, JSON),
        (ROWS, JSON),
        (b"1,2,3\n0.5,-1.5,4\n", CSV),
        (_npy(np.asarray(ROWS)), NPY),
    ],
)
def test_rows_are_answered_by_predictions(model, folder, body, media):
    direct = tf.saved_model.load(str(folder / "1")).signatures["serving_default"](x=tf.constant(ROWS))["scores"]
    assert {"predictions": direct.numpy().tolist()} == json.loads(_answer(model, body, media))


def test_columns_are_answered_by_outputs(model):
    predictions = json.loads(_answer(model, {"instances": ROWS}))["predictions"]
    assert {"outputs": predictions} == json.loads(_answer(model, {"inputs": ROWS}))
    assert {"outputs": predictions} == json.loads(_answer(model, {"inputs": {"x": ROWS}}))


def test_several_inputs_and_outputs_by_row_and_by_column(model):
    rows = {"signature_name": "both", "instances": [{"x": [1, 2], "n": 1}, {"x": [3, 4], "n": 2}]}
    assert {"predictions": [{"sum": 3, "tripled": 3}, {"sum": 7, "tripled": 6}]} == json.loads(_answer(model, rows))
    columns = {"signature_name": "both", "inputs": {"x": [[1, 2], [3, 4]], "n": [1, 2]}}
    assert {"outputs": {"sum": [3, 7], "tripled": [3, 6]}} == json.loads(_answer(model, columns))


def test_text_and_bytes(model):
    body = {"signature_name": "joined", "instances": ["ü", {"b64": "/w=="}]}
    assert {"predictions": ["üü", {"b64": "//8="}]} == json.loads(_answer(model, body))


def test_other_answer_types(model):
    expected = json.loads(_answer(model, {"inputs": ROWS}))["outputs"]
    assert expected == np.load(io.BytesIO(_answer(model, ROWS, accept=NPY))).tolist()
    assert expected == np.loadtxt(io.BytesIO(_answer(model, ROWS, accept=CSV)), delimiter=",").tolist()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([[1, 2]], "Error"),
        ([["a", "b", "c"]], "Error"),
        ({"instances": ROWS, "inputs": ROWS}, "either"),
        ({"rows": ROWS}, "either"),
        ({"inputs": {"y": ROWS}}, "takes the inputs x, and was sent y"),
        ({"signature_name": "both", "instances": ROWS}, "send them by name"),
        ({"signature_name": "none", "instances": ROWS}, "no signature 'none': name one of"),
        ({"instances": [{"x": [1, 2, 3]}, {"y": [1, 2, 3]}]}, "same inputs"),
    ],
)
def test_what_the_signature_does_not_take_is_the_requests_fault(model, body, sentence):
    with pytest.raises(RequestRefused) as refused:
        _answer(model, body)
    assert 400 == refused.value.status
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["saved_model.pb"], "."),
        (["1/saved_model.pb", "10/saved_model.pb", "9/saved_model.pb"], "10"),
        (["export/Servo/1600000000/saved_model.pb"], "export/Servo/1600000000"),
    ],
)
def test_where_a_saved_model_lies(tmp_path, files, found):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert tmp_path / found == find_saved_model(tmp_path)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [([], "No SavedModel"), (["a/1/saved_model.pb", "b/1/saved_model.pb"], "Several SavedModels")],
)
def test_an_archive_with_no_or_several_models_is_refused(tmp_path, files, sentence):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(ModelUnusable, match=sentence):
        find_saved_model(tmp_path)


def test_a_scripts_own_object_needs_its_own_predict_fn():
    with pytest.raises(ModelUnusable, match=r"a dict: .*SavedModel.* predict_fn"):
        FRAMEWORK.serve({}, {}, print, predicts=True)
