"""Bodies of Hugging Face models: objects with `inputs` and `parameters`, tables, pictures and sound.

Source: aws/sagemaker-huggingface-inference-toolkit, `decoder_encoder.py`.
"""

from __future__ import annotations

import base64
import csv
import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.runtime import codecs, jsontext
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.media import CSV, JSON, NPY

CONTENT_TYPES: Final[Sequence[str]] = (JSON, CSV, "image/*", "audio/*")
ANSWER_TYPES: Final[Sequence[str]] = (JSON, CSV, NPY)
_COLUMNS: Final = ("inputs", "question", "context")


def decode(body: bytes, media: str) -> Any:
    """What a pipeline is asked. Raises RequestRefused: 415 for other media types, 400 for a broken body."""
    try:
        if media == JSON:
            return jsontext.loads(body)
        if media == CSV:
            return _table(body.decode("utf-8-sig"))
        if media.startswith("image/"):
            return {"inputs": _picture(body)}
    except (ValueError, OSError, RecursionError) as error:
        raise RequestRefused(400, say(error)) from error
    if media.startswith("audio/"):
        return {"inputs": body}
    raise RequestRefused(415, f"Unsupported content type {media!r}: send one of {', '.join(CONTENT_TYPES)}")


def encode(prediction: Any, media: str) -> bytes:
    """A pipeline's answer as a body. Raises RequestRefused (406) for a type that cannot hold it."""
    if media == JSON:
        return jsontext.dumps(_without_pictures(prediction))
    if media == CSV:
        return _rows(prediction)
    try:
        return codecs.encode(prediction, media)
    except ValueError as error:
        raise RequestRefused(
            406, f"Unsupported Accept {media!r}: the answer is not an array, ask for {JSON}"
        ) from error


def _table(text: str) -> dict[str, Any]:
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not any(column in rows[0] for column in _COLUMNS):
        raise RequestRefused(400, f"The CSV body needs a header with one of {', '.join(_COLUMNS)}, and a row")
    return {"inputs": [row["inputs"] for row in rows] if "inputs" in rows[0] else rows}


def _picture(body: bytes) -> Any:
    try:
        image = importlib.import_module("PIL.Image")
    except ImportError:
        raise RequestRefused(415, "Pictures need the package pillow: name it in code/requirements.txt") from None
    return image.open(io.BytesIO(body)).convert("RGB")


def _rows(prediction: Any) -> bytes:
    rows = prediction if isinstance(prediction, list) else [prediction]
    if not rows or not all(isinstance(row, Mapping) and row.keys() == rows[0].keys() for row in rows):
        raise RequestRefused(
            406, f"Unsupported Accept {CSV!r}: the answer has no rows of equal columns, ask for {JSON}"
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _without_pictures(value: Any) -> Any:
    """Pictures in an answer, masks for one, as PNG in base64."""
    if isinstance(value, Mapping):
        return {name: _without_pictures(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_pictures(part) for part in value]
    if type(value).__module__.startswith("PIL."):
        buffer = io.BytesIO()
        value.save(buffer, format="PNG")
        return base64.b64encode(buffer.getvalue()).decode()
    return value
