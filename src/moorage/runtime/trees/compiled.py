"""A model whose usual requests treelite answers, and the framework all others."""

from __future__ import annotations

from typing import Any

from moorage.runtime.failures import RequestRefused
from moorage.runtime.frameworks import dmlc
from moorage.runtime.frameworks.base import Decoded, Model
from moorage.runtime.frameworks.estimator import FAULTS_OF_DATA
from moorage.runtime.trees.stages import Prepare
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
        rows = self._translation.rows_of(data)
        if rows is None or len(rows) > self._translation.rows_max:
            return self._own.predict(data, detailed=detailed)
        return self._translation.answers(rows, detailed=detailed)

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return self._own.encode(prediction, media)


class StagedModel:
    """A pipeline, or a search, whose last estimator is compiled. What comes before it works once a request."""

    quick = False

    def __init__(self, own: Model, prepare: Prepare, last: Model) -> None:
        self._own = own
        self._prepare = prepare
        self._last = last
        self.native = own.native
        self.content_types = own.content_types
        self.answer_types = own.answer_types
        self.batches = own.batches

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return self._own.decode(body, media)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        try:
            prepared = self._prepare(data)
        except FAULTS_OF_DATA as error:
            raise RequestRefused(400, dmlc.explain(error)) from error
        return self._last.predict(prepared, detailed=detailed)

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return self._own.encode(prediction, media)
