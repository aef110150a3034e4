"""Sentence embeddings and similarities by sentence-transformers, asked and answered as Hugging Face's own toolkit does.

Source: huggingface/huggingface-inference-toolkit, `sentence_transformers_utils.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.util import cos_sim


class SentenceEmbeddings:
    """A sentence, or a list of them → `{"embeddings": …}`, a vector for each."""

    def __init__(self, folder: Path, *, trust_remote_code: bool) -> None:
        self.model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=trust_remote_code)

    def __call__(self, inputs: Any, **parameters: Any) -> dict[str, Any]:
        """`parameters` are those of `SentenceTransformer.encode`. Raises ValueError for what is no text."""
        return {"embeddings": self._encode(inputs, parameters)}

    def _encode(self, sentences: Any, parameters: dict[str, Any]) -> Any:
        texts = [sentences] if isinstance(sentences, str) else sentences
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError('"inputs" has to be a sentence or a list of sentences')
        return self.model.encode(sentences, show_progress_bar=False, **parameters)


class SentenceSimilarity(SentenceEmbeddings):
    """`{"source_sentence": …, "sentences": […]}` → `{"similarities": […]}`, cosines."""

    def __call__(self, inputs: Any, **parameters: Any) -> dict[str, Any]:
        """`parameters` are those of `SentenceTransformer.encode`. Raises ValueError for other inputs."""
        if not isinstance(inputs, dict) or inputs.keys() != {"source_sentence", "sentences"}:
            raise ValueError('"inputs" has to be an object with "source_sentence" and "sentences"')
        parameters = {**parameters, "convert_to_tensor": True}
        source = self._encode(inputs["source_sentence"], parameters)
        others = self._encode(inputs["sentences"], parameters)
        return {"similarities": cos_sim(source, others).tolist()[0]}
