"""The defaults for any object with scikit-learn's `predict`, and maybe `predict_proba`: as it is, rows of an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from moorage.runtime import codecs
from moorage.runtime.failures import RequestRefused
from moorage.runtime.frameworks import dmlc
from moorage.runtime.media import CSV, JSON, NPY

FAULTS_OF_DATA: Final = (ValueError, TypeError, OverflowError)
"""What estimators raise for data of a shape or type, or with numbers, that they do not take."""


class EstimatorModel:
    """An estimator, asked directly."""

    content_types: Sequence[str] = (JSON, CSV, NPY)
    answer_types: Sequence[str] = (JSON, CSV, NPY)
    quick = False

    def __init__(
        self,
        native: Any,
        *,
        batches: bool = False,
        faults: tuple[type[Exception], ...] = FAULTS_OF_DATA,
        explain: Callable[[BaseException], str] = dmlc.explain,
    ) -> None:
        self.native = native
        self.batches = batches
        self._faults = faults
        self._explain = explain

    def decode(self, body: bytes, media: str) -> Any:
        """See `base.Model.decode`."""
        return codecs.decode_table(body, media)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        if getattr(data, "ndim", None) == 0:  # not every estimator looks
            raise RequestRefused(400, "The body has a single value where rows are expected")
        try:
            predictions = self.ask(data)
        except self._faults as error:
            raise RequestRefused(400, self._explain(error)) from error
        if not detailed:
            return predictions
        if not hasattr(self.native, "predict_proba"):
            return {"predictions": predictions}
        return {"predictions": predictions, "probabilities": _rows_first(self.native.predict_proba(data))}

    def ask(self, data: Any) -> Any:
        """The predictions alone."""
        return self.native.predict(data)

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return codecs.encode(prediction, media)


def _rows_first(probabilities: Any) -> Any:
    """Of several outputs, scikit-learn has a list of matrices. Each row has a list instead: what each says of it."""
    if not isinstance(probabilities, list) or any(getattr(each, "ndim", 0) != 2 for each in probabilities):
        return probabilities
    return [list(row) for row in zip(*probabilities, strict=True)]
