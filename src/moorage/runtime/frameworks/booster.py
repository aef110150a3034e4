"""An XGBoost Booster with the answers of SageMaker's built-in algorithm, and a script's, with what it expects of input.

The answers are those of aws/sagemaker-xgboost-container, algorithm_mode: CSV unless something else is accepted, all
scores in one line; as JSON `{"predictions": [{"score": 0.5}]}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from moorage.runtime import codecs, jsontext
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.frameworks import dmlc, libsvm
from moorage.runtime.frameworks.base import Decoded
from moorage.runtime.frameworks.estimator import FAULTS_OF_DATA
from moorage.runtime.frameworks.selection import Selection
from moorage.runtime.media import CSV, JSON, NPY

JSON_LINES: Final = "application/jsonlines"
CONTENT_TYPES: Final = (CSV, "text/libsvm", "text/x-libsvm", JSON, NPY)
_LIBSVM: Final = frozenset({"text/libsvm", "text/x-libsvm"})


class BoosterModel:
    """See `base.Model`."""

    content_types: Sequence[str] = CONTENT_TYPES
    answer_types: Sequence[str] = (CSV, JSON, JSON_LINES)
    quick = False
    batches = True

    def __init__(self, booster: Any, rounds: tuple[int, int], selection: Selection | None) -> None:
        self.native = booster
        self._rounds = rounds
        self._selection = selection
        self._features: int = booster.num_features()

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return _decode(body, media, self._features)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """`Booster.predict`, without a look at the names of columns, with as many rounds as were best."""
        try:
            predictions = self.native.predict(self._matrix(data), iteration_range=self._rounds, validate_features=False)
        except FAULTS_OF_DATA as error:
            raise RequestRefused(400, dmlc.explain(error)) from error
        return {"predictions": predictions} if detailed else predictions

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        encoder = _ENCODERS.get(media)
        if encoder is None or isinstance(prediction, Mapping):
            return codecs.encode(prediction, media)
        rows = np.asarray(prediction).tolist()
        if self._selection is None:
            return encoder([{"score": row} for row in rows]) if media != CSV else ",".join(map(str, rows)).encode()
        return encoder(self._selection.of_rows(rows))

    def _matrix(self, data: Any) -> Any:
        import xgboost

        if isinstance(data, xgboost.DMatrix):
            return data
        shape = np.shape(data)
        if len(shape) != 2 or shape[1] != self._features:
            size = shape[1] if len(shape) == 2 else shape
            raise ValueError(
                f"Feature size of inference data {size} is not consistent with feature size of trained model"
                f" {self._features}."
            )
        return xgboost.DMatrix(data, nthread=1)


class ScriptedBooster:
    """For a script with a `predict_fn` of its own. It gets a DMatrix, as in the container's framework mode."""

    content_types: Sequence[str] = CONTENT_TYPES
    answer_types: Sequence[str] = codecs.ANSWER_TYPES
    quick = False
    batches = False

    def __init__(self, native: Any) -> None:
        self.native = native

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        import xgboost

        rows = _decode(body, media, None)
        try:
            return Decoded(xgboost.DMatrix(rows.data, nthread=1), rows.enveloped)
        except FAULTS_OF_DATA as error:
            raise RequestRefused(400, dmlc.explain(error)) from error

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """`model.predict`, as the container's default predict_fn asks it."""
        predictions = self.native.predict(data, validate_features=False)
        return {"predictions": predictions} if detailed else predictions

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return codecs.encode(prediction, media)


def _decode(body: bytes, media: str, features: int | None) -> Decoded:
    if media not in CONTENT_TYPES:
        raise RequestRefused(415, f"Unsupported content type {media!r}: send one of {', '.join(CONTENT_TYPES)}")
    if media not in _LIBSVM:
        return codecs.decode_table(body, media)
    try:
        return Decoded(libsvm.read_rows(body, features))
    except UnicodeDecodeError as error:
        raise RequestRefused(400, say(error)) from error


def _write_json(rows: Sequence[Any]) -> bytes:
    return jsontext.dumps({"predictions": rows})


def _write_json_lines(rows: Sequence[Any]) -> bytes:
    return b"".join(jsontext.dumps(row) + b"\n" for row in rows)


def _write_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    lines = (
        ",".join(f'"{value}"' if isinstance(value, list) else str(value) for value in row.values()) for row in rows
    )
    return "\n".join(lines).encode()


_ENCODERS: Final[Mapping[str, Callable[[Sequence[Any]], bytes]]] = {
    CSV: _write_csv,
    JSON: _write_json,
    JSON_LINES: _write_json_lines,
}
