"""What an ONNX model takes: names, types and shapes as it declares them, and requests' arrays made to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moorage.runtime.failures import RequestRefused

_TYPES: Final[Mapping[str, str]] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
_GIVEN: Final[Mapping[str, str]] = {"f": "biuf", "i": "biu", "u": "biu", "b": "b", "O": "UO"}
"""Kinds of arrays that can become one of a declared kind without loss of meaning."""
_KINDS: Final[Mapping[str, str]] = {"U": "text", "O": "something else than an array of values"}
_TRIAL_LENGTH: Final = 4
"""For a dimension that the model leaves open."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input. A dimension of None is open."""

    name: str
    declared: str
    shape: tuple[int | None, ...]

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """None for what is not a tensor: sequences, maps, optional values."""
        name = _TYPES.get(self.declared)
        return None if name is None else np.dtype(name)

    def cast(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The array in the declared type. Raises RequestRefused (400) if that would change what it says."""
        dtype = self.dtype
        if dtype is None or array.dtype == dtype:
            return array
        if array.dtype.kind == "f" and dtype.kind in "iu" and np.array_equal(array, np.trunc(array)):
            return array.astype(dtype)  # whole numbers, from CSV for one
        if array.dtype.kind not in _GIVEN[dtype.kind]:
            sent = _KINDS.get(array.dtype.kind, array.dtype)
            raise RequestRefused(400, f"Input {self.name!r} takes {self.declared}, and was sent {sent}")
        return array.astype(dtype)

    def trial(self, rows: int) -> np.ndarray[Any, Any] | None:
        """Some data of the right type and shape; None for what is not a tensor."""
        dtype = self.dtype
        if dtype is None:
            return None
        shape = (rows, *(_TRIAL_LENGTH if length is None else length for length in self.shape[1:]))
        if dtype.kind == "f":
            return np.random.default_rng(0).standard_normal(shape).astype(dtype)
        if dtype.kind == "O":
            return np.full(shape, "a", dtype=object)
        return (np.arange(np.prod(shape)).reshape(shape) % 2).astype(dtype)  # 0 and 1 are in every vocabulary


class Inputs:
    """All of a model's inputs."""

    def __init__(self, inputs: tuple[Input, ...]) -> None:
        self._inputs = {each.name: each for each in inputs}

    def feed(self, data: Any) -> dict[str, np.ndarray[Any, Any]]:
        """An array for each input, from an array or from arrays by name. Raises RequestRefused (400)."""
        if not isinstance(data, Mapping):
            data = {self._only(): data}
        if data.keys() != self._inputs.keys():
            raise RequestRefused(400, f"The model takes the inputs {_list(self._inputs)}, and was sent {_list(data)}")
        return {name: each.cast(np.asarray(data[name])) for name, each in self._inputs.items()}

    def trial(self, rows: int) -> dict[str, np.ndarray[Any, Any]] | str:
        """A feed to try the model with, or why there is none."""
        feed = {}
        for each in self._inputs.values():
            if not each.shape or each.shape[0] is not None:
                return f"the first dimension of input {each.name!r} is not open"
            array = each.trial(rows)
            if array is None:
                return f"input {each.name!r} is a {each.declared}"
            feed[each.name] = array
        return feed

    def _only(self) -> str:
        if len(self._inputs) != 1:
            raise RequestRefused(
                400,
                f'The model takes the inputs {_list(self._inputs)}: send them by name, {{"inputs": {{name: array}}}}',
            )
        return next(iter(self._inputs))


def _list(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "none"
