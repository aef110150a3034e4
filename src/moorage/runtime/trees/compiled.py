"""A model whose usual requests treelite answers, and the framework all others."""

from __future__ import annotations

from typing import Any

from moorage.runtime.frameworks.base import Decoded, Model
from moorage.runtime.trees.gtil import Array
from moorage.runtime.trees.stages import Prepare
from moorage.runtime.trees.translation import Translation


class CompiledModel:
    """Stands before the framework's own model. Data that is anything but an array of fitting numbers goes on to that.

    So what the framework refuses it refuses here in the same words.
    """

    def __init__(self, own: Model, translation: Translation, prepare: Prepare | None = None) -> None:
        self._own = own
        self._translation = translation
        self._prepare = prepare
        self.quick = prepare is None
        self.native = own.native
        self.content_types = own.content_types
        self.answer_types = own.answer_types
        self.batches = own.batches

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return self._own.decode(body, media)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        rows = self._rows(data)
        if rows is None or len(rows) > self._translation.rows_max:
            return self._own.predict(data, detailed=detailed)
        return self._translation.answers(rows, detailed=detailed)

    def _rows(self, data: Any) -> Array | None:
        if self._prepare is None:
            return self._translation.rows_of(data)
        try:
            return self._translation.rows_of(self._prepare(data))
        except (ValueError, TypeError):
            return None  # the framework will say so itself

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return self._own.encode(prediction, media)
