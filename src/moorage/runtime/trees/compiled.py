"""A model whose usual requests treelite answers, and the framework all others."""

from __future__ import annotations

from typing import Any

from moorage.runtime.frameworks.base import Decoded, Model
from moorage.runtime.trees.translation import Translation


class CompiledModel:
    """Stands before the framework's own model. Data that is anything but an array of fitting numbers goes on to that.

    So what the framework refuses it refuses here in the same words.
    """

    quick = True

    def __init__(self, own: Model, translation: Translation) -> None:
        self._own = own
        self._translation = translation
        self.native = own.native
        self.content_types = own.content_types
        self.answer_types = own.answer_types
        self.batches = own.batches

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return self._own.decode(body, media)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        translation = self._translation
        rows = translation.rows_of(data)
        if rows is None:
            return self._own.predict(data, detailed=detailed)
        scores = translation.scorer(rows)
        predictions = translation.predictions(scores)
        if not detailed:
            return predictions
        if translation.probabilities is None:
            return {"predictions": predictions}
        return {"predictions": predictions, "probabilities": translation.probabilities(scores)}

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return self._own.encode(prediction, media)
