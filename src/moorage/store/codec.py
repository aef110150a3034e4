"""Rows to values and back: the only place that knows how a stored body is spelled.

A member added to a stored dataclass needs a default, or a migration that fills it in.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moorage.core.model import Endpoint

_ENCODER: Final = msgspec.json.Encoder()
_ENDPOINTS: Final = msgspec.json.Decoder(Endpoint)
_BODIES: Final = msgspec.json.Decoder(dict[str, Any])


def encode_body(body: dict[str, Any]) -> str:
    """A document's body as stored. Raises TypeError for what JSON cannot say."""
    return _ENCODER.encode(body).decode()


def decode_body(text: str) -> dict[str, Any]:
    """The inverse of `encode_body`."""
    return _BODIES.decode(text)


def encode_endpoint(endpoint: Endpoint) -> str:
    """An endpoint as stored."""
    return _ENCODER.encode(endpoint).decode()


def decode_endpoint(text: str) -> Endpoint:
    """The inverse of `encode_endpoint`."""
    return _ENDPOINTS.decode(text)
