"""Tensors in and out of JSON, for frameworks whose models have named inputs.

An array is the only input. With names it is `{"inputs": {"a": […], "b": […]}}`, a whole array for each, or
`{"instances": [{"a": …, "b": …}, …]}`, an object for each row, as TensorFlow Serving's REST API has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from moorage.runtime import codecs, jsontext
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.frameworks.base import Decoded
from moorage.runtime.media import CSV, JSON, NPY

CONTENT_TYPES: Final[Sequence[str]] = (JSON, CSV, NPY)
ANSWER_TYPES: Final[Sequence[str]] = (JSON, CSV, NPY)
_ENVELOPES: Final = ("instances", "inputs")


def decode(body: bytes, media: str) -> Decoded:
    """An array, or arrays by name, rows first. Raises RequestRefused: 415 for other types, 400 for a broken body."""
    if media != JSON:
        return Decoded(codecs.decode(body, media).data)
    try:
        return _decode_json(jsontext.loads(body))
    except (ValueError, RecursionError) as error:
        raise RequestRefused(400, say(error)) from error


def encode(value: Any, media: str) -> bytes:
    """An array, or several as a list or by name, as a body. Raises RequestRefused (406)."""
    if media != JSON and _is_several(value):
        raise RequestRefused(406, f"Unsupported Accept {media!r}: the model has several outputs, ask for {JSON}")
    return codecs.encode(value, media)


def _is_several(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(part, np.ndarray) for part in value)
    )


def _decode_json(value: Any) -> Decoded:
    if isinstance(value, dict):
        for name in _ENVELOPES:
            if name in value:
                return Decoded(_arrays(value[name]), enveloped=True)
        raise RequestRefused(400, 'The JSON object has neither "instances" nor "inputs"')
    if not isinstance(value, list):
        raise RequestRefused(400, 'The JSON body is neither an array nor an object with "instances" or "inputs"')
    array = _arrays(value)
    if isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "biuf":
        array = array.reshape(1, -1)  # one row of numbers; text stays one instance an item
    return Decoded(array)


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: np.asarray(column) for name, column in value.items()}
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return _columns(value)
    return np.asarray(value)


def _columns(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    names = rows[0].keys()
    for number, row in enumerate(rows):
        if row.keys() != names:
            raise RequestRefused(400, f"Instance {number} has the inputs {_list(row)}, and instance 0 {_list(names)}")
    return {name: np.asarray([row[name] for row in rows]) for name in names}


def _list(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
