"""ONNX models answer as ONNX Runtime does when it is asked directly."""

from __future__ import annotations

import io
import json

import numpy as np
import onnx_models
import onnxruntime
import pytest

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.frameworks.onnx import FRAMEWORK
from moorage.runtime.media import CSV, JSON, NPY

ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 4.0]]
CLASSIFIED = [[1.0, 1.0], [-1.0, -1.0], [0.25, 0.0]]


@pytest.fixture
def serve(tmp_path):
    """What is served from a folder with this model, and what was said about it."""

    def served(content, environment=None):
        (tmp_path / "model.onnx").write_bytes(content)
        said = []
        return FRAMEWORK.serve(
            FRAMEWORK.load(tmp_path, environment or {}), environment or {}, said.append, predicts=True
        ), said

    return served


def _answer(model, body, media=JSON, accept=JSON):
    decoded = model.decode(body if isinstance(body, bytes) else json.dumps(body).encode(), media)
    return model.encode(model.predict(decoded.data, detailed=decoded.enveloped and accept == JSON), accept)


def _direct(content, feed):
    return onnxruntime.InferenceSession(content).run(None, feed)


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (ROWS, JSON),
        ([[1, 2, 3], [0.5, -1.5, 4]], JSON),
        (b"1,2,3\n0.5,-1.5,4\n", CSV),
        (_npy(np.asarray(ROWS)), NPY),
        (_npy(np.asarray(ROWS, dtype=np.float16)), NPY),
    ],
)
def test_an_array_is_the_only_input_in_the_type_it_declares(serve, body, media):
    model, _ = serve(onnx_models.linear())
    expected = _direct(onnx_models.linear(), {"x": np.asarray(ROWS, dtype=np.float32)})[0]
    assert expected.tolist() == (np.asarray(ROWS, dtype=np.float32) @ onnx_models.WEIGHTS).tolist()
    assert expected.tolist() == json.loads(_answer(model, body, media))


def test_a_row_of_numbers_is_one_row(serve):
    model, _ = serve(onnx_models.linear())
    assert json.loads(_answer(model, ROWS[:1])) == json.loads(_answer(model, ROWS[0]))


@pytest.mark.parametrize("envelope", ["instances", "inputs"])
def test_an_envelope_is_answered_by_an_object(serve, envelope):
    model, _ = serve(onnx_models.linear())
    assert {"predictions": json.loads(_answer(model, ROWS))} == json.loads(_answer(model, {envelope: ROWS}))


def test_other_answer_types(serve):
    model, _ = serve(onnx_models.linear())
    expected = _direct(onnx_models.linear(), {"x": np.asarray(ROWS, dtype=np.float32)})[0]
    assert np.array_equal(expected, np.load(io.BytesIO(_answer(model, ROWS, accept=NPY))))
    assert np.array_equal(expected, np.loadtxt(io.BytesIO(_answer(model, ROWS, accept=CSV)), delimiter=","))


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": {"x": [[1.5, 2], [3, 4]], "ids": [[1, 2], [3, 4]]}},
        {"instances": [{"x": [1.5, 2], "ids": [1, 2]}, {"ids": [3, 4], "x": [3, 4]}]},
    ],
)
def test_named_inputs_and_outputs_by_column_and_by_row(serve, body):
    model, _ = serve(onnx_models.two_by_two())
    expected = {"sum": [[2.5, 4], [6, 8]], "tripled": [[3, 6], [9, 12]]}
    assert {"predictions": expected} == json.loads(_answer(model, body))


@pytest.mark.parametrize("accept", [CSV, NPY])
def test_several_outputs_can_be_written_as_json_only(serve, accept):
    model, _ = serve(onnx_models.two_by_two())
    with pytest.raises(RequestRefused, match="several outputs") as refused:
        _answer(model, {"inputs": {"x": [[1, 2]], "ids": [[1, 2]]}}, accept=accept)
    assert 406 == refused.value.status


def test_text_goes_in_and_out(serve):
    model, _ = serve(onnx_models.echo())
    assert ["Grüße", "b"] == json.loads(_answer(model, ["Grüße", "b"]))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_classifier_answers_its_labels_and_probabilities_if_asked_for_more(serve, zipped):
    content = onnx_models.classifier(zipped=zipped)
    labels, matrix = _direct(onnx_models.classifier(zipped=False), {"x": np.asarray(CLASSIFIED, dtype=np.float32)})
    model, _ = serve(content)
    assert [7, 3, 3] == labels.tolist() == json.loads(_answer(model, CLASSIFIED))
    detailed = json.loads(_answer(model, {"instances": CLASSIFIED}))
    assert {"predictions": labels.tolist(), "probabilities": matrix.tolist()} == detailed


@pytest.mark.parametrize(
    ("content", "body", "sentence"),
    [
        (onnx_models.linear(), [[1, 2]], "dimensions"),
        (onnx_models.linear(), [[[1, 2, 3]]], "rank"),
        (onnx_models.linear(), [["a", "b", "c"]], "'x' takes tensor(float), and was sent text"),
        (onnx_models.linear(), [[1, 2, 3], [4]], "inhomogeneous"),
        (onnx_models.linear(), {"inputs": {"y": [[1, 2, 3]]}}, "takes the inputs 'x', and was sent 'y'"),
        (onnx_models.linear(), {"rows": [[1, 2, 3]]}, '"instances"'),
        (onnx_models.linear(), "text", '"instances"'),
        (onnx_models.two_by_two(), [[1, 2]], "takes the inputs 'x', 'ids'"),
        (onnx_models.two_by_two(), {"inputs": {"x": [[1, 2]]}}, "was sent 'x'"),
        (onnx_models.two_by_two(), {"inputs": {"x": [[1, 2]], "ids": [[1, 2.5]]}}, "'ids' takes tensor(int64)"),
        (onnx_models.two_by_two(), {"instances": [{"x": [1, 2], "ids": [1, 2]}, {"x": [1, 2]}]}, "Instance 1 has"),
        (onnx_models.linear(rows=1), ROWS, "dimensions"),
        (onnx_models.linear(columns=None), [[1, 2]], "MatMul dimension mismatch"),
    ],
)
def test_what_the_model_does_not_take_is_the_requests_fault(serve, content, body, sentence):
    model, _ = serve(content)
    with pytest.raises(RequestRefused) as refused:
        _answer(model, body)
    assert 400 == refused.value.status
    assert sentence in str(refused.value)


def test_whole_numbers_in_csv_fit_an_input_of_whole_numbers(serve):
    model, _ = serve(onnx_models.two_by_two())
    answer = model.predict({"x": np.ones((1, 2)), "ids": np.asarray([[1.0, 2.0]])}, detailed=False)
    assert [[3, 6]] == answer["tripled"].tolist()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (onnx_models.linear(), None),
        (onnx_models.two_by_two(), None),
        (onnx_models.echo(), None),
        (onnx_models.classifier(zipped=True), None),
        (onnx_models.centred(), "otherwise than the same rows one by one"),
        (onnx_models.total(), "not answered by 3 rows"),
        (onnx_models.linear(rows=1), "first dimension of input 'x' is not open"),
    ],
)
def test_requests_are_batched_if_every_row_is_answered_for_itself(serve, content, reason):
    model, said = serve(content)
    assert (reason is None) == model.batches
    assert ([] if reason is None else [True]) == [reason in sentence for sentence in said]


def test_a_batch_is_split_by_rows_whatever_the_form_of_the_answer(serve):
    model, _ = serve(onnx_models.classifier(zipped=True))
    answer = model.predict(np.asarray(CLASSIFIED), detailed=True)
    assert {"predictions": 3, "probabilities": 3} == {name: len(rows) for name, rows in answer.items()}


def test_a_file_that_is_no_model_is_named(serve):
    with pytest.raises(ModelUnusable, match=r"model\.onnx cannot be loaded"):
        serve(b"not a model")


@pytest.mark.parametrize("threads", ["0", "two", "-1", "1e3", "٣"])
def test_a_wrong_number_of_threads_is_named_with_its_rule(serve, threads):
    with pytest.raises(ModelUnusable, match=r"OMP_NUM_THREADS is .* whole number from 1"):
        serve(onnx_models.linear(), {"OMP_NUM_THREADS": threads})


def test_the_number_of_threads_is_the_models(serve):
    model, _ = serve(onnx_models.linear(), {"OMP_NUM_THREADS": "3"})
    assert 3 == model.native.get_session_options().intra_op_num_threads


def test_a_scripts_own_object_needs_its_own_predict_fn():
    with pytest.raises(ModelUnusable, match=r"a dict: .*InferenceSession.* predict_fn"):
        FRAMEWORK.serve({"weights": 1}, {}, print, predicts=True)
    model = FRAMEWORK.serve({"weights": 1}, {}, print, predicts=False)
    assert {"weights": 1} == model.native
    assert [[1, 2]] == model.decode(b"[1, 2]", JSON).data.tolist()
    assert b"[1,2]" == model.encode(np.asarray([1, 2]), JSON)
