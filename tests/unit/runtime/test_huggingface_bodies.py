import io

import numpy as np
import pytest

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.frameworks.huggingface_bodies import decode, encode
from moorage.runtime.frameworks.huggingface_task import find_model, find_task
from moorage.runtime.media import CSV, JSON, NPY


@pytest.mark.parametrize(
    ("body", "media", "data"),
    [
        (b'{"inputs": "a", "parameters": {"top_k": 2}}', JSON, {"inputs": "a", "parameters": {"top_k": 2}}),
        (b"inputs\na\nb, c\n", CSV, {"inputs": ["a", "b"]}),
        (b'\xef\xbb\xbfinputs\r\n"b, c"\r\n', CSV, {"inputs": ["b, c"]}),
        (b"question,context\nwho?,me\n", CSV, {"inputs": [{"question": "who?", "context": "me"}]}),
        (b"\x00RIFF", "audio/wav", {"inputs": b"\x00RIFF"}),
    ],
)
def test_bodies_become_what_a_pipeline_is_asked(body, media, data):
    assert data == decode(body, media)


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{", JSON, 400),
        (b"", CSV, 400),
        (b"inputs\n", CSV, 400),
        (b"a\nb\n", CSV, 400),
        (b"inputs\n\xff\n", CSV, 400),
        (b"", "text/plain", 415),
    ],
)
def test_broken_bodies_are_refused(body, media, status):
    with pytest.raises(RequestRefused) as refused:
        decode(body, media)
    assert status == refused.value.status


def test_answers_as_json_tables_and_arrays():
    rows = [{"label": "a, b", "score": np.float32(0.5)}, {"label": "c", "score": 0.25}]
    assert b'[{"label":"a, b","score":0.5},{"label":"c","score":0.25}]' == encode(rows, JSON)
    assert b'label,score\r\n"a, b",0.5\r\nc,0.25\r\n' == encode(rows, CSV)
    assert b"label,score\r\nc,0.25\r\n" == encode(rows[1], CSV)
    assert [[1, 2]] == np.load(io.BytesIO(encode([[1, 2]], NPY))).tolist()


@pytest.mark.parametrize(
    ("answer", "media"), [([[0.5]], CSV), ([], CSV), ([{"a": 1}, {"b": 1}], CSV), ([{"label": "a"}], NPY)]
)
def test_an_answer_that_a_type_cannot_hold_is_not_acceptable(answer, media):
    with pytest.raises(RequestRefused, match="ask for application/json") as refused:
        encode(answer, media)
    assert 406 == refused.value.status


def test_the_archives_own_model_is_taken_before_one_of_the_hub(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert tmp_path == find_model(tmp_path, {})
    assert tmp_path == find_model(tmp_path, {"HF_MODEL_ID": "bert-base-uncased"})
    assert tmp_path == find_model(tmp_path, {"HF_MODEL_ID": "/opt/ml/model"})


def test_a_link_out_of_the_archive_is_no_model_of_it(tmp_path):
    outside, archive = tmp_path / "outside", tmp_path / "archive"
    outside.mkdir()
    archive.mkdir()
    (outside / "config.json").write_text("{}")
    (archive / "inside").symlink_to(outside)
    with pytest.raises(ModelUnusable, match="HF_MODEL_ID"):
        find_model(archive, {"HF_MODEL_ID": "inside"})


@pytest.mark.parametrize(
    ("files", "environment", "task"),
    [
        ({"config.json": '{"architectures": ["BertForSequenceClassification"]}'}, {}, "text-classification"),
        ({"config.json": '{"architectures": ["TapasForQuestionAnswering"]}'}, {}, "table-question-answering"),
        ({"config.json": '{"architectures": ["GPT2LMHeadModel", "BertModel"]}'}, {}, "text-generation"),
        ({"config.json": '{"architectures": ["BertModel"]}', "modules.json": "[]"}, {}, "sentence-embeddings"),
        ({"config.json": "{}"}, {"HF_TASK": "fill-mask"}, "fill-mask"),
        ({"modules.json": "[]"}, {"HF_TASK": "feature-extraction"}, "feature-extraction"),
    ],
)
def test_the_task_is_named_or_told_by_the_models_files(tmp_path, files, environment, task):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert task == find_task(tmp_path, environment)
