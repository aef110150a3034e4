"""A script's own object: only the script knows how to ask it. Bodies are read and written as for every framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from moorage.runtime import codecs
from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.base import Decoded
from moorage.runtime.media import CSV, JSON, NPY


class ScriptedModel:
    """See `base.Model`. For scripts that predict by themselves."""

    content_types: Sequence[str] = (JSON, CSV, NPY)
    answer_types: Sequence[str] = (JSON, CSV, NPY)
    quick = False
    batches = False

    def __init__(self, native: Any) -> None:
        self.native = native

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        return codecs.decode(body, media)

    def predict(self, data: Any, *, detailed: bool) -> NoReturn:
        """Is not called: see `base.Framework.serve`."""
        raise NotImplementedError("a script's own object is asked by its predict_fn")

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return codecs.encode(prediction, media)


def not_askable(native: Any, expected: str) -> ModelUnusable:
    """Why the framework's default `predict_fn` can do nothing with what `model_fn` returned."""
    return ModelUnusable(
        f"model_fn returned a {type(native).__name__}: the default predict_fn takes {expected}, so the script has to"
        " define predict_fn or transform_fn"
    )
