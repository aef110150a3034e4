"""How much room logs may take, and which of them have to give way. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_LEFT: Final = 0.75
"""What is left of a stream that is cut: cut to its bound, it would have to be cut again at once."""
_STREAM_BYTES_LEFT_MIN: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What one stream takes, and when something was last written to it."""

    stream: str
    size_bytes: int
    written_s: float
    is_removable: bool
    """Whether nobody will write to it any more, or miss it as a stream."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A stream that is to give up its oldest lines, or all and itself."""

    stream: str
    left_bytes: int
    is_removal: bool
    why: str


def make_room(streams: Sequence[Taken], *, bytes_max: int, stream_bytes_max: int) -> list[Cut]:
    """What has to go: of each stream what it has too much, then of all streams together.

    Those go first that are removable, the one written to longest ago first; then the largest are halved.

    >>> make_room([Taken("a", 900, 0, False)], bytes_max=10**6, stream_bytes_max=800)[0].left_bytes
    600
    """
    cuts = {cut.stream: cut for cut in _too_large(streams, stream_bytes_max)}
    left = [
        replace(taken, size_bytes=cuts[taken.stream].left_bytes) if taken.stream in cuts else taken for taken in streams
    ]
    excess = sum(taken.size_bytes for taken in left) - bytes_max
    if excess > 0:
        excess += bytes_max // 10  # for some time to pass until the next cut
        cuts |= {cut.stream: cut for cut in _too_many(left, excess, f"log_bytes_max is {bytes_max} bytes")}
    return list(cuts.values())


def _too_large(streams: Sequence[Taken], stream_bytes_max: int) -> Iterator[Cut]:
    for taken in streams:
        if taken.size_bytes > stream_bytes_max:
            why = f"log_stream_bytes_max is {stream_bytes_max} bytes"
            yield Cut(taken.stream, int(stream_bytes_max * _LEFT), is_removal=False, why=why)


def _too_many(streams: Sequence[Taken], excess: int, why: str) -> Iterator[Cut]:
    for taken in sorted(streams, key=lambda taken: taken.written_s):
        if excess <= 0:
            return
        if taken.is_removable and taken.size_bytes:
            excess -= taken.size_bytes
            yield Cut(taken.stream, 0, is_removal=True, why=why)
    largest = [(-taken.size_bytes, taken.stream) for taken in streams if not taken.is_removable]
    heapq.heapify(largest)
    sizes: dict[str, int] = {}
    while excess > 0 and largest and -largest[0][0] > _STREAM_BYTES_LEFT_MIN:
        size, stream = -largest[0][0], largest[0][1]
        sizes[stream] = size // 2
        excess -= size - size // 2
        heapq.heapreplace(largest, (-(size // 2), stream))
    for stream, size in sizes.items():
        yield Cut(stream, size, is_removal=False, why=why)
