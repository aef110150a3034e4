"""What a peer may take before it is refused. Bytes, counts and seconds; every deadline is a total, never between reads.

A deadline that starts afresh with each byte lets one byte a second live for ever.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a server or of an upstream's answers."""

    head_bytes: int = 65_536
    headers: int = 100
    target_bytes: int = 8_192
    head_s: float = 10.0
    """From the first byte of a head to the last. A new connection has as long to send the first byte."""
    idle_s: float = 75.0
    """How long a connection may rest between two requests."""
    body_bytes: int = 5 * 1024**3
    """The largest body anybody on this port takes; what takes less says so to `read`."""
    body_s: float = 30.0
    """A body may take this long, and a second more for every `body_rate` bytes of it that have arrived."""
    body_rate: int = 16_384
    window_bytes: int = 262_144
    """How much of a body or of pipelined requests is held before the connection is no longer read."""
    held_bytes: int = 1024**3
    """How much all connections together hold of bodies on their way and of pipelined requests."""
    linger_s: float = 2.0
    """How long a refused peer is still read (and ignored), so that it gets to see the answer."""
    connections: int = 10_000
    interim_answers: int = 10
