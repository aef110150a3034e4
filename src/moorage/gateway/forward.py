"""Everything that is not an invocation goes to control, streaming both ways, and comes back as it is.

An upload that waits to be asked for (`Expect: 100-continue`) is asked for only once control has asked: what is refused
by its head alone is never sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape
from typing import Final

import msgspec

from moorage.aws.errors import ServiceError
from moorage.gateway import errors
from moorage.system.clock import Clock
from moorage.wire.answer import Answer
from moorage.wire.client import Client
from moorage.wire.encoding import HOP_BY_HOP
from moorage.wire.messages import HeaderList, NotSent, Refused, Request, Response, WireError

# Control may hold a Describe for a while; beyond this it hangs.
_HEAD_S: Final = 120.0
# Between two looks whether control is back.
_POLL_S: Final = 0.05
# A body this small is sent whole, in one write.
_WHOLE_BYTES_MAX: Final = 65_536
# More than the wire layer ever holds of an answer.
_HELD_BYTES_MAX: Final = 16_777_216
_OURS = HOP_BY_HOP | {b"content-length"}


class Forwarder:
    """Passes requests on to control's socket, and waits up to `patience_s` for a control that restarts."""

    def __init__(self, client: Client, address: str, *, clock: Clock, patience_s: float) -> None:
        self._client = client
        self._address = address
        self._clock = clock
        self._patience_s = patience_s

    async def forward(self, request: Request, request_id: str) -> Response:
        """Control's answer, or ours in the caller's protocol: 503 while control is away, 4xx for a broken body.

        Raises WireError for what goes wrong once control has begun to answer.
        """
        length = request.content_length
        try:
            if length is not None and length <= _WHOLE_BYTES_MAX:
                answer = await self._send_patiently(request, await request.read(_WHOLE_BYTES_MAX))
            else:
                answer = await self._send(request, _onward(request), request.stream())
        except Refused as refused:
            return _refusal(errors.not_taken(refused), request, request_id)
        except WireError:
            return _refusal(errors.control_away(), request, request_id)
        return await _back(request, answer)

    async def _send_patiently(self, request: Request, body: bytes) -> Answer:
        # The body is here before it is asked for.
        headers = [field for field in _onward(request) if field[0] != b"expect"]
        deadline = self._clock.monotonic() + self._patience_s
        while True:
            try:
                return await self._send(request, headers, body)
            except NotSent:
                if self._clock.monotonic() > deadline:
                    raise
            await self._clock.sleep(_POLL_S)

    async def _send(self, request: Request, headers: HeaderList, body: bytes | AsyncIterator[bytes]) -> Answer:
        return await self._client.request(
            self._address,
            request.method,
            request.target,
            headers=headers,
            body=body,
            content_length=request.content_length or None,
            head_s=_HEAD_S,
        )


def end_to_end(headers: HeaderList) -> HeaderList:
    """The fields that are meant for the other end and not for this connection."""
    dropped = _OURS
    named = [value for name, value in headers if name == b"connection"]
    if named:
        dropped = dropped | {option.strip().lower() for value in named for option in value.split(b",")}
    return [field for field in headers if field[0] not in dropped]


def _onward(request: Request) -> HeaderList:
    """The fields for control. HTTP/1.1 wants a Host, but HTTP/1.0 does not, and Connection may have named it."""
    headers = end_to_end(request.headers)
    if all(name != b"host" for name, _ in headers):
        headers.append((b"host", b"localhost"))
    return headers


async def _back(request: Request, answer: Answer) -> Response:
    headers = end_to_end(answer.headers)
    if request.method == b"HEAD" or answer.status == 304:
        declared = answer.header(b"content-length")
        return Response(answer.status, headers, b"", content_length=int(declared) if declared else None)
    if answer.is_complete:
        return Response(answer.status, headers, await answer.read(_HELD_BYTES_MAX))
    return Response(answer.status, headers, answer.stream(), content_length=answer.content_length)


def _refusal(error: ServiceError, request: Request, request_id: str) -> Response:
    """An error as the protocol at hand has it: JSON, query (XML) or S3 (XML)."""
    kind = request.header(b"content-type") or b""
    if request.header(b"x-amz-target") is not None or b"json" in kind or b"cbor" in kind:
        return _answer(error, b"application/x-amz-json-1.1", _json(error), request_id)
    body = _xml(error, request_id)
    if kind.startswith(b"application/x-www-form-urlencoded"):
        body = f"<ErrorResponse>{body}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return _answer(error, b"application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode(), request_id)


def _answer(error: ServiceError, content_type: bytes, body: bytes, request_id: str) -> Response:
    status = error.status or 503
    headers = [(b"Content-Type", content_type), (b"x-amzn-RequestId", request_id.encode())]
    if status == 503:
        headers.append((b"Retry-After", b"1"))
    return Response(status, headers, body)


def _json(error: ServiceError) -> bytes:
    return msgspec.json.encode({"__type": error.code, "message": error.message})


def _xml(error: ServiceError, request_id: str) -> str:
    side = "Receiver" if error.status == 503 else "Sender"
    return (
        f"<Error><Type>{side}</Type><Code>{error.code}</Code><Message>{escape(error.message, quote=False)}</Message>"
        f"<RequestId>{request_id}</RequestId></Error>"
    )
