"""Rows to values and back: the only place that knows how a stored body is spelled.

A member added to a stored dataclass needs a default, or a migration that fills it in.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from moorage.core.late_mapping import LateMapping
from moorage.core.latency import Histogram
from moorage.core.model import Endpoint
from moorage.core.traffic import Tally

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


class _StoredTally(NamedTuple):
    """A tally without its members' names, which would be most of it: about 100 bytes a second of a busy series.

    Only ever add members, at the end and with a default.
    """

    outcomes: tuple[int, ...]
    per_instance_shares: int
    model: dict[int, int]
    model_sum_us: int
    overhead: dict[int, int]
    overhead_sum_us: int
    bytes_in: int
    bytes_out: int
    in_flight: int


class _ReadTally(NamedTuple):
    """The same as it is read: the histograms are most of it, and left as they are until somebody looks at them."""

    outcomes: tuple[int, ...]
    per_instance_shares: int
    model: msgspec.Raw
    model_sum_us: int
    overhead: msgspec.Raw
    overhead_sum_us: int
    bytes_in: int
    bytes_out: int
    in_flight: int


_TALLIES: Final = msgspec.msgpack.Decoder(_ReadTally)
_HISTOGRAMS: Final = msgspec.msgpack.Decoder(dict[int, int])
_NO_LATENCIES: Final = Histogram()


def encode_tally(tally: Tally) -> bytes:
    """A tally as stored."""
    return msgspec.msgpack.encode(
        _StoredTally(
            tally.outcomes,
            tally.per_instance_shares,
            dict(tally.model.counts),
            tally.model.sum_us,
            dict(tally.overhead.counts),
            tally.overhead.sum_us,
            tally.bytes_in,
            tally.bytes_out,
            tally.in_flight,
        )
    )


def decode_tally(data: bytes) -> Tally:
    """The inverse of `encode_tally`."""
    stored = _TALLIES.decode(data)
    return Tally(
        outcomes=stored.outcomes,
        per_instance_shares=stored.per_instance_shares,
        model=Histogram(LateMapping(partial(_HISTOGRAMS.decode, stored.model)), stored.model_sum_us),
        overhead=Histogram(LateMapping(partial(_HISTOGRAMS.decode, stored.overhead)), stored.overhead_sum_us),
        bytes_in=stored.bytes_in,
        bytes_out=stored.bytes_out,
        in_flight=stored.in_flight,
    )


def decode_counts(data: bytes) -> Tally:
    """The same as `decode_tally` but for the latencies, which are left out."""
    stored = _TALLIES.decode(data)
    return Tally(
        outcomes=stored.outcomes,
        per_instance_shares=stored.per_instance_shares,
        model=_NO_LATENCIES,
        overhead=_NO_LATENCIES,
        bytes_in=stored.bytes_in,
        bytes_out=stored.bytes_out,
        in_flight=stored.in_flight,
    )
