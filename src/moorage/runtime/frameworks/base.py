"""What a framework has to know of itself, so that toolkit and batching know nothing of frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Say = Callable[[str], None]
"""Writes a platform line to the instance's log."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A request's data, and whether it came as `{"instances": …}`, which asks for an object in return."""

    data: Any
    enveloped: bool = False


class Model(Protocol):
    """A loaded model with its framework's defaults. One thread at a time calls it."""

    native: Any
    """What a script's `predict_fn` gets: the object that `model_fn` or `Framework.load` returned."""
    content_types: Sequence[str]
    """Media types of requests that `decode` takes."""
    answer_types: Sequence[str]
    """Media types that `encode` writes, the default one first."""
    quick: bool
    """Whether predicting a few rows takes less than handing them to another thread and back would."""
    batches: bool
    """Whether the rows of several requests may be predicted at once: rows in are rows out, each for itself."""

    def decode(self, body: bytes, media: str) -> Decoded:
        """The data of a request, rows first.

        Raises RequestRefused: 415 for other media types, 400 for a broken body.
        """
        ...

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """What the model says of the data. Raises RequestRefused (400) for data of a shape it does not take.

        `detailed` asks for a mapping: predictions, and probabilities if there are any, each with rows first.
        """
        ...

    def encode(self, prediction: Any, media: str) -> bytes:
        """A prediction, also a script's, as a body of one of `answer_types`. Raises RequestRefused (406)."""
        ...


class Framework(Protocol):
    """A framework's defaults for models that bring no script, or not every hook."""

    def load(self, folder: Path, environment: Mapping[str, str]) -> Any:
        """The native model in `folder`, the default `model_fn`. Raises ModelUnusable."""
        ...

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool) -> Model:
        """The defaults for a native model, which may be a script's own object. Says what it decided, and why.

        Without `predicts` a script predicts by itself: `Model.predict` will not be called.
        """
        ...
