"""A whole connection's worth of bytes: messages in a row, bent byte by byte, cut into segments, ended in some way."""

from __future__ import annotations

import enum
import random  # noqa: TID251 - the seed is an argument, and the same seed must make the same stream
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moorage.testing.fuzz.draft import draft_of
from moorage.testing.fuzz.mutations import chunk, mutate_request

_PREFACES: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n", b"\r\n\r\n", b"\n",
    b"\x00", b"GET /\r\n", b"GET / HTTP/1.1\r\n\r\n", b" ", b"\r", b"SSH-2.0-x\r\n", b"\xef\xbb\xbf",
)  # fmt: skip
_TOKENS: Final = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"0\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1", b"chunked", b"\xff",
    b",",
    b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
)  # fmt: skip


class End(enum.Enum):
    """What the client does when all is sent and what is due has been heard."""

    GO_ON = "go on"
    """Ends its side only if something is missing."""
    LEAVE = "leave"
    """Closes at once, with answers on their way."""
    LINGER = "linger"
    """Sends nothing more and waits for the server's deadline."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a client sends on one connection."""

    segments: list[bytes]
    end: End

    @property
    def wire(self) -> bytes:
        """All of it."""
        return b"".join(self.segments)


def make_stream(draw: random.Random, corpus: Sequence[bytes]) -> Stream:
    """One to four requests, most of them spoilt."""
    wire = draw.choice(_PREFACES) if draw.random() < 0.04 else b""
    for _ in range(draw.choice((1, 1, 1, 1, 1, 2, 2, 3, 4))):
        wire += _message(draw, corpus)
    if draw.random() < 0.2:
        wire = bend(draw, wire)
    end = draw.choices((End.GO_ON, End.LEAVE, End.LINGER), (0.96, 0.03, 0.01))[0]
    return Stream(cut(draw, wire), end)


def _message(draw: random.Random, corpus: Sequence[bytes]) -> bytes:
    draft = draft_of(draw.choice(corpus))
    dice = draw.random()
    if dice < 0.15:
        return draft.wire
    if dice < 0.2:
        chunk(draw, draft)
        return draft.wire
    mutate_request(draw, draft)
    return draft.wire


def bend(draw: random.Random, wire: bytes) -> bytes:
    """Change a few bytes, not knowing what they are."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        start = draw.randint(0, len(wire))
        end = min(len(wire), start + draw.choice((0, 1, 1, 2, 8, 40)))
        put = draw.choice((b"", draw.choice(_TOKENS), wire[start:end] * 2, draw.randbytes(end - start)))
        wire = wire[:start] + put + wire[end:]
    return wire if draw.random() < 0.8 else wire[: draw.randint(0, len(wire))]


def cut(draw: random.Random, wire: bytes) -> list[bytes]:
    """Cut into segments: mostly few, now and then byte by byte for a while."""
    dice = draw.random()
    if dice < 0.5 or len(wire) < 2:
        return [wire] if wire else []
    if dice < 0.55:
        at = draw.randrange(len(wire))
        edges = list(range(at, min(at + 40, len(wire))))
    else:
        edges = sorted(draw.randrange(len(wire)) for _ in range(draw.randint(1, 6)))
    parts = [wire[start:end] for start, end in zip([0, *edges], [*edges, len(wire)], strict=True)]
    return [part for part in parts if part]
