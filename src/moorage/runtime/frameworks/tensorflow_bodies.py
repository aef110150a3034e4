"""TensorFlow Serving's REST bodies: rows as `{"instances": …}`, whole columns as `{"inputs": …}`, and their answers.

Source: TensorFlow Serving's guide, "RESTful API", the Predict API.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moorage.runtime import codecs, jsontext
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.frameworks import tensors
from moorage.runtime.media import JSON

DEFAULT_SIGNATURE: Final = "serving_default"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: values for the only input, or by name."""

    values: Any
    is_columnar: bool = False
    signature: str = DEFAULT_SIGNATURE


class Outputs(dict[str, "np.ndarray[Any, Any]"]):
    """What a signature answered, arrays by name, and in which form it is to be told."""

    def __init__(self, arrays: Mapping[str, np.ndarray[Any, Any]], *, is_columnar: bool) -> None:
        super().__init__(arrays)
        self.is_columnar = is_columnar


def decode(body: bytes, media: str) -> Asked:
    """Raises RequestRefused: 415 for other media types, 400 for a broken body."""
    if media != JSON:
        return Asked(codecs.decode(body, media).data)
    try:
        value = jsontext.loads(body)
        return _asked(_with_bytes(value) if b'"b64"' in body else value)
    except (ValueError, TypeError, RecursionError) as error:
        raise RequestRefused(400, say(error)) from error


def encode(prediction: Any, media: str) -> bytes:
    """Outputs in the form of their request; anything else, a script's, as it is. Raises RequestRefused (406)."""
    if not isinstance(prediction, Outputs):
        return tensors.encode(prediction, media)
    plain = {name: _as_text(array) for name, array in prediction.items()}
    only = next(iter(plain.values())) if len(plain) == 1 else None
    if media != JSON:
        return tensors.encode(plain if only is None else only, media)
    if prediction.is_columnar:
        return jsontext.dumps({"outputs": plain if only is None else only})
    return jsontext.dumps({"predictions": _rows(plain) if only is None else only})


def _asked(value: Any) -> Asked:
    if isinstance(value, list):
        return Asked(_columns(value))
    if not isinstance(value, dict) or ("instances" in value) == ("inputs" in value):
        raise RequestRefused(400, 'The JSON body has to be an array, or an object with either "instances" or "inputs"')
    signature = value.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(signature, str):
        raise RequestRefused(400, '"signature_name" has to be the name of a signature')
    if "inputs" in value:
        return Asked(value["inputs"], is_columnar=True, signature=signature)
    return Asked(_columns(value["instances"]), signature=signature)


def _columns(rows: Any) -> Any:
    """Rows that are objects, as a list for each of their names."""
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        return rows
    if any(not isinstance(row, dict) or row.keys() != rows[0].keys() for row in rows):
        raise RequestRefused(400, "Every instance has to name the same inputs")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _rows(arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]


def _with_bytes(value: Any) -> Any:
    """`{"b64": …}` as the bytes it stands for."""
    if isinstance(value, list):
        return [_with_bytes(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"b64"}:
        return base64.b64decode(value["b64"], validate=True)
    return {name: _with_bytes(part) for name, part in value.items()}


def _as_text(array: np.ndarray[Any, Any]) -> Any:
    """Byte strings as text where they are text, else as TensorFlow Serving writes them."""
    if array.dtype.kind != "O":
        return array
    return [_as_text(part) if isinstance(part, np.ndarray) else _one_as_text(part) for part in array]


def _one_as_text(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}
