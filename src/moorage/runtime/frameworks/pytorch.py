"""PyTorch: a TorchScript module or an exported program, asked with tensors; whatever a script's `model_fn` returns.

As the AWS container does it (aws/sagemaker-pytorch-inference-toolkit, `default_pytorch_inference_handler.py`): numbers
in JSON and CSV become float32, an NPY body keeps its type. Exported programs (`model.pt2`) are our addition, since
TorchScript is at its end.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from moorage.runtime import codecs
from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.failures import say as in_words
from moorage.runtime.frameworks import files, tensors
from moorage.runtime.frameworks.base import Decoded, Framework, Model, Say
from moorage.runtime.frameworks.rowwise import Feed, settle
from moorage.runtime.frameworks.scripted import not_askable
from moorage.runtime.frameworks.torch_threads import limit_threads
from moorage.runtime.frameworks.torch_trial import try_module
from moorage.runtime.media import NPY

_NAMES: Final = ("model.pt", "model.pth", "model.pt2")
_PATTERNS: Final = ("*.pt", "*.pth", "*.pt2")
_FAULTS_OF_DATA: Final = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
"""What modules raise for data of a shape or type they do not take; exported programs assert."""


class PyTorch:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """model.pt, model.pth, model.pt2, else the only such file. Raises ModelUnusable."""
        path = files.find(folder, _NAMES, _PATTERNS)
        try:
            return _load(path)
        except Exception as error:
            raise ModelUnusable(
                f"{path.name} cannot be loaded: it has to be {_FORMATS[path.suffix]}; for weights alone, or a pickled"
                f" module, write model_fn in code/inference.py. {_last_line(error)}"
            ) from error

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool) -> Model:
        """The module, ready to be asked; a trial decides whether requests are predicted together."""
        limit_threads(environment)
        model = TorchModel(native)
        if not predicts:
            return model
        if not isinstance(native, torch.nn.Module):
            raise not_askable(native, "a torch.nn.Module")
        with contextlib.suppress(NotImplementedError):  # exported programs are for evaluation anyway
            native.eval()
        settle(model, try_module(native, model.ask), say)
        return model


class TorchModel:
    """See `base.Model`."""

    content_types: Sequence[str] = tensors.CONTENT_TYPES
    answer_types: Sequence[str] = tensors.ANSWER_TYPES
    quick = False
    batches = False

    def __init__(self, native: Any) -> None:
        self.native = native

    def decode(self, body: bytes, media: str) -> Decoded:
        """See `base.Model.decode`."""
        found = codecs.decode(body, media)
        try:
            data = torch.from_numpy(found.data)
        except (TypeError, ValueError) as error:
            raise RequestRefused(400, f"The body is not an array of numbers: {error}") from error
        return Decoded(data if media == NPY else data.float(), found.enveloped)

    def predict(self, data: Any, *, detailed: bool) -> Any:
        """See `base.Model.predict`."""
        try:
            with torch.inference_mode():
                prediction = self.native(data)
        except _FAULTS_OF_DATA as error:
            raise RequestRefused(400, f"{type(error).__name__}: {_last_line(error)}") from error
        if isinstance(prediction, list):
            prediction = tuple(prediction)  # outputs: a list would be taken for rows where requests are together
        return {"predictions": prediction} if detailed else prediction

    def encode(self, prediction: Any, media: str) -> bytes:
        """See `base.Model.encode`."""
        return tensors.encode(_as_arrays(prediction), media)

    def ask(self, feed: Feed) -> Sequence[Any]:
        """The outputs for the only input, as arrays."""
        with torch.inference_mode():
            outputs = _as_arrays(self.native(*(torch.from_numpy(array) for array in feed.values())))
        if isinstance(outputs, dict):
            return list(outputs.values())
        return outputs if isinstance(outputs, list) else [outputs]


_FORMATS: Final[Mapping[str, str]] = {
    ".pt": "TorchScript, as torch.jit.save writes it",
    ".pth": "TorchScript, as torch.jit.save writes it",
    ".pt2": "an exported program, as torch.export.save writes it",
}


def _load(path: Path) -> Any:
    if path.suffix == ".pt2":
        return torch.export.load(path).module()
    with warnings.catch_warnings():  # that TorchScript is deprecated is for who makes models
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(path, map_location="cpu")


def _as_arrays(value: Any) -> Any:
    """Tensors as arrays, in lists and dictionaries of them too. bfloat16, which NumPy lacks, as float32."""
    if isinstance(value, torch.Tensor):
        plain = value.detach().cpu()
        return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
    if isinstance(value, Mapping):
        return {name: _as_arrays(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_as_arrays(part) for part in value]
    return value


def _last_line(error: BaseException) -> str:
    """A fault in TorchScript comes with pages of the module's code above it."""
    return (str(error).strip().splitlines() or [in_words(error)])[-1].removeprefix("RuntimeError: ")


FRAMEWORK: Final[Framework] = PyTorch()
