"""Bodies to arrays and predictions to bodies: JSON, CSV and NPY, both ways.

Numbers keep the precision they were sent with. (The AWS scikit-learn container narrows JSON and CSV to float32; then a
model's answer here and on the caller's own machine could differ.)
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moorage.runtime.failures import RequestRefused
from moorage.runtime.media import CSV, JSON, NPY

_ENVELOPES: Final = ("instances", "inputs")
_EMPTY_CSV_FIELD: Final = re.compile(r"(^|,)[ \t]*(,|\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A request's data, and whether it came as `{"instances": …}`, which asks for an object in return."""

    data: Any
    enveloped: bool = False


def decode(body: bytes, media: str) -> Decoded:
    """The data of a request. Raises RequestRefused: 415 for a media type we do not read, 400 for a broken body."""
    decoder = _DECODERS.get(media)
    if decoder is None:
        raise RequestRefused(415, f"Unsupported content type {media!r}: send one of {', '.join(_DECODERS)}")
    try:
        return decoder(body)
    except (ValueError, EOFError, RecursionError) as error:
        raise RequestRefused(400, f"{type(error).__name__}: {error}") from error


def encode(value: Any, media: str) -> bytes:
    """A prediction as a body of type `media`. Raises RequestRefused (406) for a type we do not write."""
    encoder = _ENCODERS.get(media)
    if encoder is None:
        raise RequestRefused(406, f"Unsupported Accept {media!r}: ask for one of {', '.join(_ENCODERS)}")
    return encoder(value)


def _decode_json(body: bytes) -> Decoded:
    value = json.loads(body)
    if isinstance(value, dict):
        for name in _ENVELOPES:
            if name in value:
                return Decoded(np.asarray(value[name]), enveloped=True)
        raise RequestRefused(400, 'The JSON object has neither "instances" nor "inputs"')
    if not isinstance(value, list):
        raise RequestRefused(400, 'The JSON body is neither an array nor an object with "instances"')
    array = np.asarray(value)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        array = array.reshape(1, -1)  # one row of numbers; text stays one instance an item
    return Decoded(array)


def _decode_csv(body: bytes) -> Decoded:
    text = body.decode("utf-8-sig")
    if not text.strip():
        raise RequestRefused(400, "The CSV body is empty")
    # numpy's own parser in C does not take empty fields; a converter does, at a tenth of the speed.
    number = _number_or_nan if _EMPTY_CSV_FIELD.search(text.strip()) else None
    return Decoded(np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None, converters=number))


def _number_or_nan(field: str) -> float:
    return float(field.strip() or "nan")


def _decode_npy(body: bytes) -> Decoded:
    return Decoded(np.load(io.BytesIO(body), allow_pickle=False))


def _encode_json(value: Any) -> bytes:
    return json.dumps(value, default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    """What the JSON encoder does not know: arrays and scalars of numpy, and whatever converts itself to lists."""
    for name in ("tolist", "to_list"):
        convert = getattr(value, name, None)
        if convert is not None:
            return convert()
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON")


def _encode_csv(value: Any) -> bytes:
    array = np.asarray(value)
    rows = array.reshape(1, 1) if array.ndim == 0 else array.reshape(len(array), -1)
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()


def _encode_npy(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value), allow_pickle=False)
    return buffer.getvalue()


_DECODERS: Final[Mapping[str, Callable[[bytes], Decoded]]] = {JSON: _decode_json, CSV: _decode_csv, NPY: _decode_npy}
_ENCODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {JSON: _encode_json, CSV: _encode_csv, NPY: _encode_npy}
ANSWER_TYPES: Final = tuple(_ENCODERS)
