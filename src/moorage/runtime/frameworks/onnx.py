"""ONNX models, run by ONNX Runtime: `model.onnx`, or the only *.onnx.

A model with one output answers with it, one with several with an object by their names. The two outputs of a converted
classifier are its predictions, and the probabilities where more is asked for, whether they come as a matrix or as the
list of dictionaries that the ZipMap operator makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.failures import say as in_words
from moorage.runtime.frameworks import files, tensors, threads
from moorage.runtime.frameworks.base import Decoded, Framework, Model, Say
from moorage.runtime.frameworks.onnx_inputs import Input, Inputs
from moorage.runtime.frameworks.rowwise import Feed, Trial, settle, try_rows
from moorage.runtime.frameworks.scripted import ScriptedModel, not_askable

_TRIAL_ROWS: Final = 3
_FAULTS_OF_DATA: Final = (InvalidArgument, Fail, RuntimeException, ValueError, TypeError)
"""What a session raises for data that it does not take, in the first place or in one of its nodes."""


class Onnx:
    """See `base.Framework`."""

    def load(self, folder: Path, environment: Mapping[str, str]) -> Any:
        """model.onnx, else the only *.onnx. Raises ModelUnusable."""
        path = files.find(folder, ("model.onnx",), ("*.onnx",))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads.share(environment)
        options.inter_op_num_threads = 1
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelUnusable(f"{path.name} cannot be loaded: {in_words(error)}") from error

    def serve(self, native: Any, _environment: Mapping[str, str], say: Say, *, predicts: bool) -> Model:
        """The session; a trial decides whether requests are predicted together. Raises ModelUnusable."""
        if not predicts:
            return ScriptedModel(native)
        if not isinstance(native, onnxruntime.InferenceSession):
            raise not_askable(native, "an onnxruntime.InferenceSession")
        model = OnnxModel(native)
        settle(model, model.try_rows(), say)
        return model


class OnnxModel:
    """See `base.Model`."""

    content_types: Sequence[str] = tensors.CONTENT_TYPES
    answer_types: Sequence[str] = tensors.ANSWER_TYPES

    quick = False
    batches = False

    def __init__(self, native: onnxruntime.InferenceSession) -> None:
        self.native = native
        self._inputs = Inputs(tuple(Input(each.name, each.type, _shape(each.shape)) for each in native.get_inputs()))
        outputs = native.get_outputs()
        self._names = [each.name for each in outputs]
        self._is_classifier = _is_classifier(outputs)

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return tensors.decode(body, media)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        try:
            outputs = self._run(self._inputs.feed(data))
        except _FAULTS_OF_DATA as error:
            raise RequestRefused(400, in_words(error)) from error
        if self._is_classifier:
            label, probabilities = outputs
            return {"predictions": label, "probabilities": _matrix(probabilities)} if detailed else label
        prediction = outputs[0] if len(outputs) == 1 else dict(zip(self._names, outputs, strict=True))
        return {"predictions": prediction} if detailed else prediction

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return tensors.encode(prediction, media)

    def try_rows(self) -> Trial:
        """Whether it answers every row for itself."""
        feed = self._inputs.trial(_TRIAL_ROWS)
        return Trial(feed, row_s=float("inf")) if isinstance(feed, str) else try_rows(self._run, feed)

    def _run(self, feed: Feed) -> list[Any]:
        outputs: list[Any] = self.native.run(None, feed)
        return outputs


def _shape(declared: Sequence[int | str | None]) -> tuple[int | None, ...]:
    """A dimension that has a name is open."""
    return tuple(length if isinstance(length, int) else None for length in declared)


def _is_classifier(outputs: Sequence[Any]) -> bool:
    """Labels, then probabilities, as skl2onnx and onnxmltools name them."""
    if len(outputs) != 2 or outputs[0].type not in {"tensor(int64)", "tensor(string)"}:
        return False
    return outputs[0].name.endswith("label") and "probabilit" in outputs[1].name


def _matrix(probabilities: Any) -> Any:
    """Rows of dictionaries by class as rows of numbers, in the order of the classes."""
    if not isinstance(probabilities, list):
        return probabilities
    return np.asarray([list(row.values()) for row in probabilities], dtype=np.float32)


FRAMEWORK: Final[Framework] = Onnx()
