"""What a Hugging Face model is for, and where it lies: HF_TASK and HF_MODEL_ID, or what the archive says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moorage.runtime.failures import ModelUnusable, say

SENTENCE_EMBEDDINGS: Final = "sentence-embeddings"
SENTENCE_SIMILARITY: Final = "sentence-similarity"

_MODEL_DIR: Final = "/opt/ml/model"
"""Where an AWS container has the archive."""
_CONFIG: Final = "config.json"
_SENTENCE_TRANSFORMERS: Final = "modules.json"
_TASKS: Final[tuple[tuple[str, str], ...]] = (
    ("TapasForQuestionAnswering", "table-question-answering"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForTokenClassification", "token-classification"),
    ("ForSequenceClassification", "text-classification"),
    ("ForMultipleChoice", "multiple-choice"),
    ("ForMaskedLM", "fill-mask"),
    ("ForCausalLM", "text-generation"),
    ("GPT2LMHeadModel", "text-generation"),
    ("ForConditionalGeneration", "text2text-generation"),
    ("MTModel", "text2text-generation"),
    ("EncoderDecoderModel", "text2text-generation"),
    ("T5WithLMHeadModel", "text2text-generation"),
)
"""End of an architecture's name, and its task: aws/sagemaker-huggingface-inference-toolkit, `transformers_utils.py`."""


def find_model(folder: Path, environment: Mapping[str, str]) -> Path:
    """The folder of the model: the archive's, or the one in it that HF_MODEL_ID names. Raises ModelUnusable."""
    wanted = environment.get("HF_MODEL_ID", "")
    inside = folder / wanted.removeprefix(_MODEL_DIR).lstrip("/")
    if _is_model(inside) and inside.resolve().is_relative_to(folder.resolve()):
        return inside
    if _is_model(folder):
        return folder
    if wanted:
        raise ModelUnusable(
            f"HF_MODEL_ID is {wanted!r}, and the archive has no such folder: models are not downloaded from the Hugging"
            f" Face Hub, so put the model's files, {_CONFIG} among them, into the archive"
        )
    raise ModelUnusable(f"No Hugging Face model in the archive: expected {_CONFIG}, or code/inference.py with model_fn")


def find_task(model: Path, environment: Mapping[str, str]) -> str:
    """HF_TASK, else what the model's own files tell. Raises ModelUnusable."""
    named = environment.get("HF_TASK")
    if named:
        return named
    if (model / _SENTENCE_TRANSFORMERS).is_file():
        return SENTENCE_EMBEDDINGS
    architectures = _architectures(model / _CONFIG)
    for architecture in architectures[:1]:
        for ending, task in _TASKS:
            if architecture.endswith(ending):
                return task
    raise ModelUnusable(
        f"The task of the model is not known from its architecture ({', '.join(architectures) or 'none is named'}):"
        " name it in HF_TASK, text-classification for one"
    )


def _is_model(folder: Path) -> bool:
    return (folder / _CONFIG).is_file() or (folder / _SENTENCE_TRANSFORMERS).is_file()


def _architectures(path: Path) -> list[str]:
    try:
        config = json.loads(path.read_bytes())
        return [str(name) for name in config.get("architectures") or ()]
    except (OSError, ValueError, AttributeError) as error:
        raise ModelUnusable(f"{path.name} cannot be read: {say(error)}") from error
