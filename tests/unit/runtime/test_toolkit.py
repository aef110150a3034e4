"""The hooks and the defaults between them, on models that are a few lines long."""

import json
import pickle
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from moorage.runtime import toolkit
from moorage.runtime.calls import Answer, Call
from moorage.runtime.failures import ModelUnusable, RequestRefused, explain
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.script import Hooks, adapt
from moorage.runtime.settings import Settings, read_settings

JSON_HEADERS = {"content-type": "application/json"}


class Doubler:
    """Doubles what it is given; takes two columns only."""

    def predict(self, data):
        if data.shape[1] != 2:
            raise ValueError(f"X has {data.shape[1]} features, but Doubler is expecting 2")
        return data[:, 0] * 2


class Named(Doubler):
    """What is pickled under some name."""

    def __init__(self, name):
        self.name = name


class Classifier(Doubler):
    def predict_proba(self, data):
        return [[0.25, 0.75]] * len(data)


def loaded(model=None, hooks=None, **settings) -> toolkit.LoadedModel:
    return toolkit.LoadedModel(
        EstimatorModel(model or Doubler()),
        Hooks(**{name: adapt(hook, arguments) for name, (hook, arguments) in (hooks or {}).items()}),
        Path("/models/x"),
        Settings(**settings),
        print,
    )


def ask(model: toolkit.LoadedModel, body: bytes, headers: dict[str, str]) -> Answer:
    """Its answer, or raises what has gone wrong."""
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    (outcome,) = model.answer_all([Call(body, listed, dict(listed))])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


PREDICTS = "def predict_fn(data, model):\n    return model\n"


def load(folder: Path, environment: dict[str, str] | None = None) -> toolkit.LoadedModel:
    environment = environment or {}
    return toolkit.load(folder, environment, read_settings(environment), framework="sklearn", say=print)


@pytest.fixture
def write(tmp_path, monkeypatch):
    import sys

    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(script: str, name: str = "code/inference.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        return tmp_path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("model", "headers", "body", "expected"),
    [
        (Doubler(), {}, b'{"instances": [[1, 2], [3, 4]]}', {"predictions": [2, 6]}),
        (Classifier(), {}, b'{"inputs": [[1, 2]]}', {"predictions": [2], "probabilities": [[0.25, 0.75]]}),
        (Classifier(), {}, b"[[1, 2]]", [2]),
        (Classifier(), {"content-type": "text/csv"}, b"1,2\n3,4\n", [2.0, 6.0]),
    ],
)
def test_the_default_answers_in_json(model, headers, body, expected):
    answer = ask(loaded(model), body, JSON_HEADERS | headers)
    assert ("application/json", expected) == (answer.content_type, json.loads(answer.body))


def test_the_default_answers_in_what_is_accepted():
    answer = ask(loaded(Classifier()), b'{"instances": [[1, 2]]}', JSON_HEADERS | {"accept": "text/csv"})
    assert ("text/csv", b"2\n") == (answer.content_type, answer.body)
    answer = ask(loaded(default_accept="text/csv"), b"[[1, 2]]", JSON_HEADERS)
    assert "text/csv" == answer.content_type


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({}, b'{"instances": [[1, 2, 3]]}', 400, "ValueError: X has 3 features, but Doubler is expecting 2"),
        ({"content-type": "image/png"}, b"", 415, "Unsupported content type 'image/png'"),
        ({"accept": "image/png"}, b"[[1, 2]]", 406, "Unsupported Accept 'image/png'"),
    ],
)
def test_the_request_is_at_fault(headers, body, status, message):
    with pytest.raises(RequestRefused) as caught:
        ask(loaded(), body, JSON_HEADERS | headers)
    assert status == caught.value.status
    assert str(caught.value).startswith(message)


def test_hooks_replace_the_defaults_one_by_one():
    only_input = loaded(hooks={"input_fn": (lambda body, kind: _table(json.loads(body)["features"]), 2)})
    assert [2] == json.loads(ask(only_input, b'{"features": [[1, 2]]}', JSON_HEADERS).body)
    only_predict = loaded(hooks={"predict_fn": (lambda data, model: {"sum": data.sum()}, 2)})
    assert {"sum": 3} == json.loads(ask(only_predict, b'{"instances": [[1, 2]]}', JSON_HEADERS).body)
    only_output = loaded(hooks={"output_fn": (lambda prediction, accept: f"{accept}:{prediction.tolist()}", 2)})
    answer = ask(only_output, b"[[1, 2]]", JSON_HEADERS | {"accept": "x/own"})
    assert ("x/own", b"x/own:[2]") == (answer.content_type, answer.body)


def test_text_bodies_arrive_as_text_and_others_as_bytes():
    model = loaded(hooks={"transform_fn": (lambda model, body, kind, accept: type(body).__name__, 4)})
    for content_type, expected in [("text/csv", b"str"), ("application/json", b"str"), ("application/x-npy", b"bytes")]:
        assert expected == ask(model, b"1", {"content-type": content_type}).body


def test_a_transform_may_say_what_it_answers():
    model = loaded(hooks={"transform_fn": (lambda model, body, kind, accept: (b"\x89PNG", "image/png"), 4)})
    answer = ask(model, b"{}", JSON_HEADERS)
    assert ("image/png", b"\x89PNG") == (answer.content_type, answer.body)


def test_a_hook_with_room_for_the_context_gets_it():
    def transform(model, body, content_type, accept, context):
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "trace=1")
        context.set_response_content_type(0, "text/plain")
        return context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")

    answer = ask(
        loaded(hooks={"transform_fn": (transform, 4)}),
        b"{}",
        JSON_HEADERS | {"x-amzn-sagemaker-custom-attributes": "sent"},
    )
    assert (b"sent", "text/plain") == (answer.body, answer.content_type)
    assert (b"X-Amzn-SageMaker-Custom-Attributes", b"trace=1") in answer.head()


def test_a_value_error_from_input_fn_blames_the_request_and_other_errors_the_model():
    def refuse(body, kind):
        raise ValueError(f"Unsupported content type: {kind}")

    def fail(*_):
        raise KeyError("features")

    with pytest.raises(RequestRefused) as caught:
        ask(loaded(hooks={"input_fn": (refuse, 2)}), b"x", {"content-type": "x/y"})
    assert (400, "ValueError: Unsupported content type: x/y") == (caught.value.status, str(caught.value))
    for name in ("input_fn", "predict_fn", "output_fn"):
        with pytest.raises(KeyError):
            ask(loaded(hooks={name: (fail, 2)}), b"[[1, 2]]", JSON_HEADERS)


def test_a_script_is_found_where_it_may_lie(write):
    folder = write(PREDICTS + "def model_fn(folder, context):\n    return context.system_properties['model_dir']\n")
    assert str(folder) == load(folder).native


def test_a_script_may_have_another_name_and_import_its_neighbours(write):
    write("ANSWER = 7\n", "code/neighbour.py")
    folder = write(PREDICTS + "import neighbour\ndef model_fn(folder):\n    return neighbour.ANSWER\n", "code/serve.py")
    assert 7 == load(folder, {"SAGEMAKER_PROGRAM": "code/serve.py"}).native


def test_a_named_script_must_be_there(tmp_path):
    with pytest.raises(ModelUnusable, match="SAGEMAKER_PROGRAM names"):
        load(tmp_path, {"SAGEMAKER_PROGRAM": "train.py"})


@pytest.mark.parametrize("named", ["/opt/ml/model/src", "src", "file:///opt/ml/model/src", "{here}/src"])
def test_the_submit_directory_says_where_the_script_lies(write, named):
    folder = write(PREDICTS + "def model_fn(folder):\n    return 8\n", "src/inference.py")
    write("def model_fn(folder):\n    return 9\n", "code/inference.py")
    assert 8 == load(folder, {"SAGEMAKER_SUBMIT_DIRECTORY": named.format(here=folder)}).native


def test_a_script_in_s3_is_refused(tmp_path):
    with pytest.raises(ModelUnusable, match="SAGEMAKER_SUBMIT_DIRECTORY is s3://b/k, and scripts are not fetched"):
        load(tmp_path, {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/k"})


def test_a_default_accept_that_nobody_can_write_is_refused(write):
    wrong = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "image/png"}
    folder = write(PREDICTS + "def model_fn(folder):\n    return 1\n")
    with pytest.raises(ModelUnusable, match="SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is 'image/png'"):
        load(folder, wrong)
    write(PREDICTS + "def model_fn(folder):\n    return 1\ndef output_fn(prediction, accept):\n    return accept\n")
    assert b"image/png" == ask(load(folder, wrong), b"[[1, 2]]", JSON_HEADERS).body


def test_transform_fn_excludes_the_others(write):
    folder = write("def transform_fn(*a): pass\ndef predict_fn(*a): pass\ndef model_fn(f): pass\n")
    with pytest.raises(ModelUnusable, match="transform_fn"):
        load(folder)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["model.pkl"], "model.pkl"),
        (["model.joblib", "model.pkl"], "model.joblib"),
        (["forest.joblib"], "forest.joblib"),
        (["forest.pkl", "notes.txt"], "forest.pkl"),
    ],
)
def test_a_model_file_is_found(tmp_path, names, found):
    for name in names:
        (tmp_path / name).write_bytes(pickle.dumps(Named(name)))
    assert found == load(tmp_path).native.name


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "No model file in the archive: expected model.joblib or model.pkl"),
        ({"a.pkl": b"", "b.pkl": b""}, "Several model files in the archive (a.pkl, b.pkl)"),
        ({"model.pkl": b""}, "model.pkl cannot be loaded: EOFError"),
        ({"model.pkl": b"cnowhere\nThing\n."}, "model.pkl cannot be loaded: ModuleNotFoundError: No module named 'no"),
        ({"inference.py": b"import nowhere"}, "ModuleNotFoundError: No module named 'nowhere' (in inference.py line 1"),
        ({"inference.py": b"\n\ndef f(:"}, "SyntaxError: invalid syntax (in inference.py line 3)"),
    ],
)
def test_why_a_model_cannot_be_served_is_one_sentence(tmp_path, write, files, reason):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the model's code raises
        load(tmp_path)
    sentence = explain(caught.value, tmp_path)
    assert sentence.startswith(reason), sentence
    assert "\n" not in sentence
    assert str(tmp_path) not in sentence


def _table(rows):
    import numpy

    return numpy.asarray(rows)
