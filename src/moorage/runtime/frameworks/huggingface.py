"""Hugging Face models from the archive: pipelines of transformers, and sentence embeddings.

The contract is that of the AWS container (aws/sagemaker-huggingface-inference-toolkit, `handler_service.py`):
`{"inputs": …, "parameters": {…}}` is what the pipeline is called with, and what it returns is the answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import transformers

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.failures import say as in_words
from moorage.runtime.frameworks import huggingface_bodies as bodies
from moorage.runtime.frameworks.base import Decoded, Framework, Model, Say
from moorage.runtime.frameworks.huggingface_task import (
    SENTENCE_EMBEDDINGS,
    SENTENCE_SIMILARITY,
    find_model,
    find_task,
)
from moorage.runtime.frameworks.scripted import not_askable
from moorage.runtime.frameworks.torch_threads import limit_threads

_WITHOUT_THREADS: Final = {"TOKENIZERS_PARALLELISM": "false", "HF_DEACTIVATE_ASYNC_LOAD": "1"}
"""Threads would keep the model from being served by several processes, since a fork takes none along."""
_TRUE: Final = {"y", "yes", "t", "true", "on", "1"}
_FAULTS_OF_DATA: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError)
"""What pipelines raise for inputs and parameters they do not take."""


class HuggingFace:
    """See `base.Framework`."""

    def load(self, folder: Path, environment: Mapping[str, str]) -> Any:
        """The pipeline for the task. Raises ModelUnusable."""
        for name, value in _WITHOUT_THREADS.items():
            os.environ.setdefault(name, value)
        transformers.logging.disable_progress_bar()  # which has a thread as well, and is of no use in a log
        model = find_model(folder, environment)
        task = find_task(model, environment)
        is_trusted = environment.get("HF_TRUST_REMOTE_CODE", "").lower() in _TRUE
        try:
            return _pipeline(task, model, is_trusted)
        except Exception as error:
            raise ModelUnusable(f"The model cannot be loaded for {task}: {in_words(error)}") from error

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool) -> Model:
        """The pipeline, or whatever a script has in its place."""
        limit_threads(environment)
        if predicts and not callable(native):
            raise not_askable(native, "what can be called as a pipeline is")
        if predicts:
            say("requests are not predicted together: each has parameters of its own")
        return PipelineModel(native)


class PipelineModel:
    """See `base.Model`. Data is what the JSON of a request says."""

    content_types: Sequence[str] = bodies.CONTENT_TYPES
    answer_types: Sequence[str] = bodies.ANSWER_TYPES
    quick = False
    batches = False

    def __init__(self, native: Any) -> None:
        self.native = native

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return Decoded(bodies.decode(body, media))

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        if not isinstance(data, dict):
            raise RequestRefused(400, 'The body has to be an object with "inputs", and "parameters" if there are any')
        others = {name: value for name, value in data.items() if name != "parameters"}
        parameters = data.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise RequestRefused(400, '"parameters" has to be an object')
        try:
            return self.native(others.get("inputs", others), **parameters)
        except _FAULTS_OF_DATA as error:
            raise RequestRefused(400, in_words(error)) from error

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return bodies.encode(prediction, media)


def _pipeline(task: str, model: Path, is_trusted: bool) -> Any:
    if task in (SENTENCE_EMBEDDINGS, SENTENCE_SIMILARITY):
        from moorage.runtime.frameworks.sentences import SentenceEmbeddings, SentenceSimilarity

        kind = SentenceEmbeddings if task == SENTENCE_EMBEDDINGS else SentenceSimilarity
        return kind(model, trust_remote_code=is_trusted)
    return transformers.pipeline(task, model=str(model), device=-1, trust_remote_code=is_trusted)


FRAMEWORK: Final[Framework] = HuggingFace()
