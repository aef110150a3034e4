"""Bodies that go to their handler as a stream: what is signed about them is checked as they pass."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from moorage.api.limits import body_seconds, too_slow
from moorage.aws.authentication import AuthenticationError, answer_for
from moorage.aws.authorization import Authorization
from moorage.aws.call import Protocol, Target
from moorage.aws.chunked import ChunkedDecoder, SignatureChain, incomplete_body
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.sigv4 import UNSIGNED_PAYLOAD, signing_key, wrong_body

_SIGNED_CHUNKS: Final = frozenset(
    {b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
)
_CHUNKS: Final = _SIGNED_CHUNKS | {b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
_SHA256 = re.compile(rb"[0-9a-f]{64}")


class Content(AsyncIterator[bytes]):
    """The content of an upload, without what it was wrapped in for the journey.

    It ends normally only if it is complete and is what was signed; else it raises ServiceError after its last piece, so
    a handler may keep nothing of it before its end. `trailers` are the fields that followed it (`x-amz-checksum-…`).
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        *,
        length: int | None,
        trailers: Headers | None = None,
        trailer_names: frozenset[str] = frozenset(),
    ) -> None:
        self.length = length
        """In bytes, if the head says so."""
        self.trailers = trailers if trailers is not None else Headers()
        """Complete once the content has ended."""
        self.trailer_names = trailer_names
        """The fields that will be in `trailers`, in lower case, known from the start."""
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)


def whole_content(body: bytes) -> Content:
    """Content that is here already."""

    async def pieces() -> AsyncIterator[bytes]:
        if body:
            yield body

    return Content(pieces(), length=len(body))


def open_content(
    target: Target,
    pieces: AsyncIterator[bytes],
    *,
    declared: bytes,
    authorization: Authorization | None,
    secret: str,
    length: int | None,
) -> Content:
    """The content of a body that `declared` (the `x-amz-content-sha256`) stands for in the signature.

    `length` is the body's, None if it is not known. Raises ServiceError for a declaration that makes no sense.
    """
    timely = in_time(pieces, body_seconds(length))
    if declared in _CHUNKS and authorization is not None:
        return _open_chunks(target.request, timely, declared=declared, authorization=authorization, secret=secret)
    if length is None:
        raise ServiceError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
    if declared == UNSIGNED_PAYLOAD:
        return Content(_counted(timely, length), length=length)
    if _SHA256.fullmatch(declared):
        return Content(_hashed(_counted(timely, length), declared, target.protocol), length=length)
    message = (
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )
    raise ServiceError("InvalidArgument", message, status=400)


async def in_time(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The pieces, if they all arrive within `seconds`: the time that the handler takes is the sender's, too."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise too_slow() from None
        if piece is None:
            return
        yield piece


def _open_chunks(
    request: HttpRequest, pieces: AsyncIterator[bytes], *, declared: bytes, authorization: Authorization, secret: str
) -> Content:
    length = request.headers.get("x-amz-decoded-content-length") or ""
    if not (length.isascii() and length.isdecimal() and len(length) <= 15):
        message = "You must provide the x-amz-decoded-content-length HTTP header."
        raise ServiceError("MissingContentLength", message, status=411)
    announced = (request.headers.get("x-amz-trailer") or "").lower().split(",")
    has_trailer = declared.endswith(b"-TRAILER")
    names = frozenset(name.strip() for name in announced if name.strip()) if has_trailer else frozenset()
    key = signing_key(secret, authorization.signing.scope)
    decoder = ChunkedDecoder(
        length=int(length),
        trailer_names=names,
        chain=SignatureChain(authorization, key) if declared in _SIGNED_CHUNKS else None,
    )
    return Content(_decoded(pieces, decoder), length=int(length), trailers=decoder.trailers, trailer_names=names)


async def _decoded(pieces: AsyncIterator[bytes], decoder: ChunkedDecoder) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            for content in decoder.feed(piece):
                yield content
        decoder.close()
    except AuthenticationError as error:
        raise answer_for(error, Protocol.REST_XML) from None


async def _hashed(pieces: AsyncIterator[bytes], declared: bytes, protocol: Protocol) -> AsyncIterator[bytes]:
    running = hashlib.sha256()
    async for piece in pieces:
        running.update(piece)
        yield piece
    if running.hexdigest().encode() != declared:
        raise answer_for(wrong_body(), protocol)


async def _counted(pieces: AsyncIterator[bytes], length: int) -> AsyncIterator[bytes]:
    missing = length
    async for piece in pieces:
        missing -= len(piece)
        yield piece
    if missing:
        raise incomplete_body()
