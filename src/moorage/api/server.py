"""The life of a call, from the head of a request to the last byte of its answer: `Api._serve` is all of it, in order.

A bare ASGI application, so that nothing stands between the server and the protocols, and bodies stream both ways.
Everything but `GET /health` and the pages must be signed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Protocol

from moorage.api.admission import Admission, Admitted, KeyRing
from moorage.api.asgi import Body, ClientGone, Receive, Scope, Send, declared_length, read_head, send_response
from moorage.api.compression import decompressed
from moorage.api.errors import answer_to, name_of, not_authorized
from moorage.api.limits import DISCARDED_BYTES_MAX, DISCARDED_SECONDS
from moorage.api.service import Caller, Handler, Service
from moorage.aws.call import Call, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import decode, detect, encode, encode_error
from moorage.core.iam.principal import Principal, request_context
from moorage.system.clock import Clock
from moorage.system.entropy import new_request_id

_HEALTHY: Final = b'{"status":"ok"}'

_log = logging.getLogger(__name__)


class Page(Protocol):
    """Something that is not of AWS, and sees for itself who may have it."""

    def is_meant(self, request: HttpRequest) -> bool:
        """Whether a request is for it."""
        ...

    async def answer(self, request: HttpRequest) -> HttpResponse: ...


class Api:
    """Every AWS-compatible service on one address. Several may share a name, and the operations under it."""

    def __init__(self, services: Sequence[Service], keys: KeyRing, *, clock: Clock, pages: Sequence[Page] = ()) -> None:
        self._operations: dict[tuple[str, str], tuple[Service, Handler]] = {
            (service.name, name): (service, handler)
            for service in services
            for name, handler in service.handlers().items()
        }
        self._admission = Admission(keys)
        self._clock = clock
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"this application serves HTTP, not {scope['type']}")
        request = read_head(scope)
        request_id = new_request_id()
        body = Body(receive, length=declared_length(request))
        try:
            response = await self._answer(request, body, request_id)
            await _end_body(request, response, body)
            await send_response(response, receive=receive, send=send)
        except ClientGone:
            _log.debug("%s: the client left", request_id)

    async def _answer(self, request: HttpRequest, body: Body, request_id: str) -> HttpResponse:
        """The answer to a request, whatever becomes of it. Raises ClientGone only."""
        if _is_health_check(request):
            return HttpResponse(200, Headers([("Content-Type", "application/json")]), _HEALTHY)
        started = self._clock.monotonic()
        target = detect(request)
        page = next((page for page in self._pages if page.is_meant(request)), None)
        try:
            if page is not None:
                return await page.answer(request)
            response = await self._serve(target, body, request_id)
        except ClientGone:
            raise
        except Exception as error:
            answer = answer_to(error, detect(request), request_id=request_id)
            response = encode_error(answer, request, request_id=request_id)
        if _log.isEnabledFor(logging.DEBUG):
            took_ms = (self._clock.monotonic() - started) * 1000
            _log.debug("%s %s: %d in %.1f ms", request_id, name_of(detect(request)), response.status, took_ms)
        return response

    async def _serve(self, target: Target, body: Body, request_id: str) -> HttpResponse:
        admitted = await self._admission.admit(target, body, now=self._clock.now())
        target.request.body = decompressed(target)
        call = decode(target.request, request_id=request_id)
        service, handler = self._find(call)
        caller = _caller(admitted, request_id)
        await self._authorize(service, admitted.principal, caller=caller, call=call)
        output = await handler(caller, call.params)
        return encode(output, call)

    async def _authorize(self, service: Service, principal: Principal, *, caller: Caller, call: Call) -> None:
        """Refuse what the principal's policies do not allow, before anything is looked up. Raises ServiceError."""
        user_agent = call.request.headers.get("user-agent")
        known = request_context(region=caller.region, user_agent=user_agent, now=self._clock.now())
        required = await service.requirements(call.operation.name, caller, call.params)
        refused = principal.first_refused(required, known)
        if refused is not None:
            raise not_authorized(principal.arn, refused, protocol=call.protocol)

    def _find(self, call: Call) -> tuple[Service, Handler]:
        service, operation = call.service.service_name, call.operation.name
        found = self._operations.get((service, operation))
        if found is None:
            message = f"Moorage does not implement {service}:{operation}. See docs/coverage.md for what it does."
            raise ServiceError("NotImplemented", message, status=501)
        return found


async def _end_body(request: HttpRequest, response: HttpResponse, body: Body) -> None:
    """See to a body that the answer did not need: little of it is thrown away, for much of it the connection is closed.

    A client that is still sending would see a connection closed at once as broken, and never read the answer. One that
    expects a 100 has sent nothing yet, and reading would ask it to.
    """
    if not body.is_complete and "expect" not in request.headers:
        await body.discard(DISCARDED_BYTES_MAX, seconds=DISCARDED_SECONDS)
    if not body.is_complete:
        response.headers.set("Connection", "close")


def _caller(admitted: Admitted, request_id: str) -> Caller:
    return Caller(
        account_id=admitted.principal.account_id,
        arn=admitted.principal.arn,
        user_id=admitted.principal.id,
        access_key_id=admitted.access_key_id,
        region=admitted.region,
        request_id=request_id,
        user_name=admitted.principal.user_name,
    )


def _is_health_check(request: HttpRequest) -> bool:
    is_signed = "authorization" in request.headers or request.query
    return (request.method, request.path) == ("GET", "/health") and not is_signed
