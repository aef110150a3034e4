"""TensorFlow: a SavedModel, asked through its signatures, answered as TensorFlow Serving does, which AWS's image runs.

Requests are not predicted together, as in TensorFlow Serving unless told otherwise. TensorFlow computes with threads of
its own, on all processors, so that one process serves the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.failures import say as in_words
from moorage.runtime.frameworks import tensorflow_bodies as bodies
from moorage.runtime.frameworks import tensors
from moorage.runtime.frameworks.base import Decoded, Framework, Model, Say
from moorage.runtime.frameworks.scripted import ScriptedModel, not_askable

_FILE: Final = "saved_model.pb"
_FAULTS_OF_DATA: Final = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, ValueError, TypeError)


class TensorFlow:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """The SavedModel of the archive, its highest version if they are numbered. Raises ModelUnusable."""
        found = find_saved_model(folder)
        try:
            return tf.saved_model.load(str(found))
        except Exception as error:
            raise ModelUnusable(f"The SavedModel cannot be loaded: {in_words(error)}") from error

    def serve(self, native: Any, _environment: Mapping[str, str], say: Say, *, predicts: bool) -> Model:
        """The SavedModel by its signatures. Raises ModelUnusable if it has none."""
        if not predicts:
            return ScriptedModel(native)
        signatures = getattr(native, "signatures", None)
        if not isinstance(signatures, Mapping):
            raise not_askable(native, "a SavedModel")
        if not signatures:
            raise ModelUnusable(
                "The SavedModel has no signatures: save it with signatures, or export it by model.export"
            )
        say("requests are not predicted together: each names a signature of its own")
        return SavedModel(native)


class SavedModel:
    """See `base.Model`."""

    content_types: Sequence[str] = tensors.CONTENT_TYPES
    answer_types: Sequence[str] = tensors.ANSWER_TYPES
    quick = False
    batches = False

    def __init__(self, native: Any) -> None:
        self.native = native

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return Decoded(bodies.decode(body, media))

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        asked = data if isinstance(data, bodies.Asked) else bodies.Asked(data)  # a script's input_fn may have made it
        signature = self._signature(asked.signature)
        try:
            outputs = signature(**_feed(signature.structured_input_signature[1], asked.values))
        except _FAULTS_OF_DATA as error:
            raise RequestRefused(400, in_words(error).splitlines()[0]) from error
        return bodies.Outputs({name: tensor.numpy() for name, tensor in outputs.items()}, is_columnar=asked.is_columnar)

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return bodies.encode(prediction, media)

    def _signature(self, name: str) -> Any:
        if name not in self.native.signatures:
            names = ", ".join(self.native.signatures)
            raise RequestRefused(400, f"The model has no signature {name!r}: name one of {names} in signature_name")
        return self.native.signatures[name]


def find_saved_model(folder: Path) -> Path:
    """The folder with saved_model.pb: the archive's own, or the one highest in number. Raises ModelUnusable.

    `model/1/saved_model.pb` and `export/Servo/1/saved_model.pb` are where TensorFlow Serving and older SDKs have it.
    """
    found = [path.parent for path in folder.rglob(_FILE)]
    if not found:
        raise ModelUnusable(f"No SavedModel in the archive: expected {_FILE}, or code/inference.py with model_fn")
    if len({path.parent if path.name.isdigit() else path for path in found}) > 1:
        names = ", ".join(sorted(str(path.relative_to(folder)) for path in found))
        raise ModelUnusable(f"Several SavedModels in the archive ({names}): an endpoint of this kind serves one")
    return max(found, key=lambda path: int(path.name) if path.name.isdigit() else 0)


def _feed(specs: Mapping[str, Any], values: Any) -> dict[str, Any]:
    """A tensor for each input. Raises ValueError, TypeError for values that do not fit."""
    if not isinstance(values, Mapping):
        if len(specs) != 1:
            raise ValueError(f"the model takes the inputs {', '.join(specs)}: send them by name")
        values = {next(iter(specs)): values}
    if values.keys() != specs.keys():
        raise ValueError(f"the model takes the inputs {', '.join(specs)}, and was sent {', '.join(values) or 'none'}")
    return {name: _tensor(values[name], spec) for name, spec in specs.items()}


def _tensor(value: Any, spec: Any) -> Any:
    tensor = tf.convert_to_tensor(
        value.astype(spec.dtype.as_numpy_dtype) if isinstance(value, np.ndarray) else value, spec.dtype
    )
    if spec.shape.rank == 2 and tensor.shape.rank == 1:
        return tensor[tf.newaxis]  # one row
    return tensor


FRAMEWORK: Final[Framework] = TensorFlow()
