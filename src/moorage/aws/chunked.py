"""S3's `aws-chunked` bodies: chunks with a signature each, and fields that follow the content. No I/O.

    10000;chunk-signature=<64 hex digits>\\r\\n <65536 bytes> \\r\\n
    0;chunk-signature=<64 hex digits>\\r\\n
    x-amz-checksum-crc32:<base64>\\r\\n
    x-amz-trailer-signature:<64 hex digits>\\r\\n
    \\r\\n

Content is handed on as it arrives, before the signature of its chunk can be checked, so that a chunk of any size takes
no memory: nothing may be kept of a body until `close` has returned.

Source: S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks"
and "… including trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from typing import Final

from moorage.aws.authentication import wrong_signature
from moorage.aws.authorization import Authorization
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers
from moorage.aws.sigv4 import SigningKey

_LINE_BYTES_MAX: Final = 1024
_TRAILERS_MAX: Final = 16
_TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"
_EMPTY_SHA256: Final = hashlib.sha256().hexdigest().encode()
_SIZE = re.compile(rb"[0-9a-fA-F]{1,12}")


class SignatureChain:
    """Checks the signatures inside a body: each covers the one before it, the first that of the request's head."""

    def __init__(self, authorization: Authorization, key: SigningKey) -> None:
        self._key = key
        self._context = b"%b\n%b" % (authorization.timestamp, authorization.signing.scope)
        self._previous = authorization.signature

    def check_chunk(self, content_sha256: bytes, signature: bytes) -> None:
        """Raises AuthenticationError."""
        self._check(b"AWS4-HMAC-SHA256-PAYLOAD", _EMPTY_SHA256 + b"\n" + content_sha256, signature)

    def check_trailer(self, trailer: bytes, signature: bytes) -> None:
        """Raises AuthenticationError."""
        self._check(b"AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(trailer).hexdigest().encode(), signature)

    def _check(self, kind: bytes, hashes: bytes, signature: bytes) -> None:
        expected = self._key.sign(b"%b\n%b\n%b\n%b" % (kind, self._context, self._previous, hashes))
        if not hmac.compare_digest(expected, signature):
            raise wrong_signature()
        self._previous = expected


class ChunkedDecoder:
    """Takes a body apart as it arrives.

    `length` is the content's, as `x-amz-decoded-content-length` gives it; `trailer_names` (lower case) are the fields
    that `x-amz-trailer` announces; without a `chain` the chunks carry no signatures.
    """

    def __init__(self, *, length: int, trailer_names: Collection[str], chain: SignatureChain | None) -> None:
        self.trailers = Headers()
        """What followed the content; complete, and proven, once `close` has returned."""
        self._missing_bytes = length
        self._expected = frozenset(trailer_names)
        self._chain = chain
        self._held = b""
        self._remaining_bytes = 0
        self._chunk_hash = hashlib.sha256()
        self._chunk_signature = b""
        self._trailer = b""
        self._trailer_signature = b""
        self._read_line: Callable[[bytes], None] = self._read_chunk_head

    def feed(self, data: bytes) -> list[bytes]:
        """The content in `data`. Raises AuthenticationError, or ServiceError for a body out of shape."""
        pieces = []
        data = self._held + data
        at = 0
        while at < len(data):
            if self._remaining_bytes:
                piece = data[at : at + self._remaining_bytes]
                at += len(piece)
                self._take(piece)
                pieces.append(piece)
                continue
            end = data.find(b"\r\n", at, at + _LINE_BYTES_MAX)
            if end < 0:
                break
            self._read_line(data[at:end])
            at = end + 2
        self._held = data[at:]
        if len(self._held) >= _LINE_BYTES_MAX:
            raise _malformed("A chunk's head or a trailing field is too long.")
        return pieces

    def close(self) -> None:
        """To be called at the end of the body. Raises ServiceError if it is not complete."""
        if self._read_line != self._read_beyond_the_end or self._held:
            raise incomplete_body()

    def _take(self, piece: bytes) -> None:
        self._remaining_bytes -= len(piece)
        if self._chain is not None:
            self._chunk_hash.update(piece)

    def _read_chunk_head(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        if not _SIZE.fullmatch(size):
            raise _malformed("A chunk's size is not a hexadecimal number.")
        name, _, self._chunk_signature = extension.partition(b"=")
        if name != (b"chunk-signature" if self._chain else b""):
            raise _malformed("Each chunk of a signed body carries its signature, and no other chunk does.")
        self._remaining_bytes = int(size, 16)
        self._missing_bytes -= self._remaining_bytes
        if self._missing_bytes < 0:
            raise incomplete_body()
        self._chunk_hash = hashlib.sha256()
        self._read_line = self._read_chunk_end
        if self._remaining_bytes == 0:
            self._finish_content()

    def _read_chunk_end(self, line: bytes) -> None:
        if line:
            raise _malformed("A chunk does not end where its size says.")
        self._check_chunk()
        self._read_line = self._read_chunk_head

    def _finish_content(self) -> None:
        if self._missing_bytes:
            raise incomplete_body()
        self._check_chunk()
        self._read_line = self._read_trailer

    def _check_chunk(self) -> None:
        if self._chain is not None:
            self._chain.check_chunk(self._chunk_hash.hexdigest().encode(), self._chunk_signature)

    def _read_trailer(self, line: bytes) -> None:
        if not line:
            self._finish()
            return
        name, _, value = (part.strip() for part in line.decode("latin-1").partition(":"))
        name = name.lower()
        if name == _TRAILER_SIGNATURE:
            self._trailer_signature = value.encode("latin-1")
            return
        if name not in self._expected or name in self.trailers or len(self.trailers.items()) == _TRAILERS_MAX:
            raise _malformed_trailer()
        self.trailers.add(name, value)
        self._trailer += f"{name}:{value}\n".encode("latin-1")

    def _finish(self) -> None:
        if len(self._expected) != len(self.trailers.items()):
            raise _malformed_trailer()
        if self._chain is not None and self._expected:
            self._chain.check_trailer(self._trailer, self._trailer_signature)
        self._read_line = self._read_beyond_the_end

    def _read_beyond_the_end(self, _line: bytes) -> None:
        raise _malformed("There is something behind the end of the body.")


def incomplete_body() -> ServiceError:
    """The body is longer or shorter than announced."""
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return ServiceError("IncompleteBody", message, status=400)


def _malformed(message: str) -> ServiceError:
    return ServiceError("InvalidRequest", message, status=400)


def _malformed_trailer() -> ServiceError:
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return ServiceError("MalformedTrailerError", message, status=400)
