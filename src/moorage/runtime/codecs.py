"""Bodies to arrays and predictions to bodies: JSON, CSV and NPY, both ways.

Numbers keep the precision they were sent with. (The AWS scikit-learn container narrows JSON and CSV to float32; then a
model's answer here and on the caller's own machine could differ.) numpy is imported where it is needed, because not
every environment has it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from moorage.runtime import csvtext, jsontext
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.frameworks.base import Decoded
from moorage.runtime.media import CSV, JSON, NPY

_ENVELOPES: Final = ("instances", "inputs")


def decode(body: bytes, media: str) -> Decoded:
    """The data of a request. Raises RequestRefused: 415 for a media type we do not read, 400 for a broken body."""
    decoder = _DECODERS.get(media)
    if decoder is None:
        raise RequestRefused(415, f"Unsupported content type {media!r}: send one of {', '.join(_DECODERS)}")
    try:
        return decoder(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(400, say(error)) from error


def decode_table(body: bytes, media: str) -> Decoded:
    """As `decode`, for models of numbers in which some may be missing: where JSON has `null`, it is NaN."""
    decoded = decode(body, media)
    array = decoded.data
    if array.dtype.kind != "O" or not all(item is None or isinstance(item, int | float) for item in array.flat):
        return decoded
    try:
        numbers = array.astype(float)
    except OverflowError as error:
        raise RequestRefused(400, say(error)) from error
    return Decoded(numbers if decoded.enveloped else _as_row(numbers), decoded.enveloped)


def encode(value: Any, media: str) -> bytes:
    """A prediction as a body of type `media`. Raises RequestRefused (406) for a type we do not write."""
    encoder = _ENCODERS.get(media)
    if encoder is None:
        raise RequestRefused(406, f"Unsupported Accept {media!r}: ask for one of {', '.join(_ENCODERS)}")
    return encoder(value)


def _decode_json(body: bytes) -> Decoded:
    import numpy as np

    value = jsontext.loads(body)
    if isinstance(value, dict):
        for name in _ENVELOPES:
            if name in value:
                return Decoded(np.asarray(value[name]), enveloped=True)
        raise RequestRefused(400, 'The JSON object has neither "instances" nor "inputs"')
    if not isinstance(value, list):
        raise RequestRefused(400, 'The JSON body is neither an array nor an object with "instances"')
    return Decoded(_as_row(np.asarray(value)))


def _as_row(array: Any) -> Any:
    """A list of numbers is one row; text stays one instance an item."""
    return array.reshape(1, -1) if array.ndim == 1 and array.dtype.kind in "biuf" else array


def _decode_csv(body: bytes) -> Decoded:
    return Decoded(csvtext.read_rows(body))


def _decode_npy(body: bytes) -> Decoded:
    import numpy as np

    try:
        # Not `load`, which would open archives of arrays as well.
        return Decoded(np.lib.format.read_array(io.BytesIO(body), allow_pickle=False))
    except Exception as error:  # its header is Python: what reads it fails in many ways, for want of memory too
        raise RequestRefused(400, say(error)) from error


def _encode_csv(value: Any) -> bytes:
    import numpy as np

    array = np.asarray(value)
    rows = array.reshape(1, 1) if array.ndim == 0 else array.reshape(len(array), math.prod(array.shape[1:]))
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()


def _encode_npy(value: Any) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value), allow_pickle=False)
    return buffer.getvalue()


_DECODERS: Final[Mapping[str, Callable[[bytes], Decoded]]] = {JSON: _decode_json, CSV: _decode_csv, NPY: _decode_npy}
_ENCODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {JSON: jsontext.dumps, CSV: _encode_csv, NPY: _encode_npy}
ANSWER_TYPES: Final = tuple(_ENCODERS)
