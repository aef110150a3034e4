"""Bodies that were compressed for the journey. The signature is that of the compressed ones.

Clients of CloudWatch do it to PutMetricData beyond 10 KB; S3 keeps what it gets as it comes.
"""

from __future__ import annotations

import zlib
from typing import Final

from moorage.aws.call import Protocol, Target
from moorage.aws.errors import ServiceError

BODY_BYTES_MAX: Final = 4 << 20
"""Of a body that was 1 MB at most, compressed: the largest PutMetricData has 150,000 values and their counts."""

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_RPC: Final = (Protocol.JSON, Protocol.QUERY, Protocol.CBOR)


def decompressed(target: Target) -> bytes:
    """The request's body as it was before. Raises ServiceError for one too large, or not what it says it is."""
    encoding = (target.request.headers.get("content-encoding") or "identity").strip().lower()
    if target.protocol not in _RPC or encoding == "identity":
        return target.request.body
    if encoding != "gzip":
        raise _refusal(f"Content-Encoding must be gzip or identity, not {encoding[:64]!r}.", status=415)
    inflating = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = inflating.decompress(target.request.body, BODY_BYTES_MAX + 1)
    except zlib.error:
        raise _refusal("The request body is not valid gzip.") from None
    if len(body) > BODY_BYTES_MAX:
        message = f"Request body is larger than {BODY_BYTES_MAX} bytes, decompressed."
        raise ServiceError("RequestEntityTooLargeException", message, status=413)
    if not inflating.eof or inflating.unused_data:
        raise _refusal("The request body is not one whole gzip stream.")
    return body


def _refusal(message: str, *, status: int = 400) -> ServiceError:
    return ServiceError("SerializationException", message, status=status)
