"""JSON both ways: msgspec's, five times as fast as the standard library's, wherever both say the same.

Where msgspec does not take what the standard library does (NaN and infinities, lone surrogates, numbers beyond a
double, other encodings than UTF-8), the standard library is asked, so it decides what is valid and how a fault reads.
Only the spelling differs: no blanks, `1e-5` as `0.00001`.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec


def loads(body: bytes) -> Any:
    """The value of `body`. Raises ValueError, RecursionError."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return json.loads(body)


def dumps(value: Any) -> bytes:
    """`value` in UTF-8, arrays and scalars of numpy as what their `tolist` gives. Raises TypeError, ValueError."""
    try:
        body = _encode(value)
    except (TypeError, ValueError, AttributeError):
        return _dumps_slowly(value)
    # msgspec writes `null` for NaN and infinities, which would hide them.
    return _dumps_slowly(value) if b"null" in body else body


def _dumps_slowly(value: Any) -> bytes:
    text = json.dumps(value, default=_plain, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as is valid in JSON only as an escape
        return json.dumps(value, default=_plain).encode()


def _plain(value: Any) -> Any:
    """What the encoders do not know: arrays and scalars of numpy, and whatever converts itself to lists."""
    for name in ("tolist", "to_list"):
        convert = getattr(value, name, None)
        if convert is not None:
            return convert()
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON")


_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder(enc_hook=_plain).encode
