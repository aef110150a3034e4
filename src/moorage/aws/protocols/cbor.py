"""RPC v2 with CBOR, the newest way to speak to CloudWatch: botocore's own codec, used the other way round."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from moorage.aws import faults
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import documents
from moorage.aws.scalars import from_epoch

_PARSER: Final = RpcV2CBORParser(timestamp_parser=from_epoch)
_SERIALIZER: Final = RpcV2CBORSerializer()


class _Peekable(io.BytesIO):
    """What botocore's parser reads from. Over its own buffered reader a forged length would be allocated first."""

    def peek(self, size: int) -> bytes:
        position = self.tell()
        return self.getvalue()[position : position + size]


def decode(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters in the request's body. Raises ServiceError SerializationException."""
    if operation.input_shape is None or not request.body:
        return {}
    try:
        value = _PARSER.parse_data_item(_Peekable(request.body))
    except (ResponseParserError, ValueError, TypeError, OverflowError, MemoryError, RecursionError):
        raise documents.serialization_error("The request body is not valid CBOR.") from None
    params: dict[str, Any] = documents.read(operation.input_shape, value)
    return params


def encode(output: Mapping[str, Any], call: Call) -> HttpResponse:
    """A successful answer."""
    shape = call.operation.output_shape
    return HttpResponse(200, _headers(call.request_id), _write(shape, output) if shape else b"\xa0")


def encode_error(error: ServiceError, target: Target, request_id: str) -> HttpResponse:
    """The answer for an error, with the code that the query protocol had for it when that is asked for."""
    shape = faults.shape_of(error.code, target.service)
    status = faults.status_of(error, shape, Protocol.CBOR)
    name = shape.name if shape else error.code
    headers = _headers(request_id)
    if target.request.headers.get("x-amzn-query-mode") == "true":
        headers.set("x-amzn-query-error", faults.query_error(error.code, shape, status))
    return HttpResponse(status, headers, _error_body(name, error, shape))


def _error_body(name: str, error: ServiceError, shape: Any) -> bytes:
    texts = {"__type": name, "message": error.message}
    members = {key: value for key, value in error.members.items() if shape and key in shape.members}
    encoded = _write(shape, members) if members else b"\xa0"
    # A map of fewer than 24 pairs has their number in its first byte (RFC 8949, section 3); error shapes are small.
    head = bytes([encoded[0] + len(texts)])
    return head + b"".join(_text(part) for pair in texts.items() for part in pair) + encoded[1:]


def _write(shape: Any, value: Any) -> bytes:
    written = bytearray()
    _SERIALIZER._serialize_data_item(written, value, shape)
    return bytes(written)


def _text(value: str) -> bytes:
    written = bytearray()
    _SERIALIZER._serialize_type_string(written, value, None, None)
    return bytes(written)


def _headers(request_id: str) -> Headers:
    return Headers(
        [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-RequestId", request_id)]
    )
