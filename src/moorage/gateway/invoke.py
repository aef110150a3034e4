"""The life of an invocation, from top to bottom. Read this first.

Nothing here asks control or the store anything: all that is needed is in the routes in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from moorage.aws import sigv4
from moorage.aws.authentication import AuthenticationError, answer_for
from moorage.aws.authorization import Credential
from moorage.aws.call import Protocol
from moorage.aws.errors import ServiceError
from moorage.core.model import EndpointKey
from moorage.gateway import errors, target
from moorage.gateway.errors import ModelErrors
from moorage.gateway.pick import pick_instance
from moorage.gateway.relay import relay
from moorage.gateway.tables import Endpoint, Instance, Routes, Tables, Variant, Visit
from moorage.system.clock import Clock
from moorage.wire.answer import Answer
from moorage.wire.client import Client
from moorage.wire.messages import BodyTooLarge, NoAnswer, NotSent, Request, Response, WireError

INVOCATION_S: Final = 60.0
_SIGNING_NAME: Final = "sagemaker"
_TRIES_MAX: Final = 3


class Invoker:
    """Answers InvokeEndpoint. `draw` gives random numbers in [0, 1)."""

    def __init__(self, tables: Tables, client: Client, *, clock: Clock, draw: Callable[[], float]) -> None:
        self._tables = tables
        self._client = client
        self._clock = clock
        self._draw = draw

    async def invoke(self, request: Request, request_id: bytes) -> Response:
        """Answer one invocation. Raises ServiceError for every answer other than success; WireError."""
        name = target.endpoint_name(request)
        body = await _read(request)
        # Nothing is awaited between here and the visit to an instance: a drain that began in between would not see
        # the request, and report free what it is about to be sent to.
        routes = self._routes()
        credential = self._authenticate(routes, request, body)
        account_id = routes.account_of(credential.access_key_id)
        endpoint = self._endpoint(EndpointKey(credential.region, name), account_id)
        if (refusal := target.refusal(request.headers, name)) is not None:
            raise refusal
        return await self._ask(endpoint, request, body=body, account_id=account_id, request_id=request_id)

    def _routes(self) -> Routes:
        """The routes in force at this moment."""
        if self._tables.routes is None:
            raise errors.no_routes()
        return self._tables.routes

    def _endpoint(self, key: EndpointKey, account_id: str) -> Endpoint:
        endpoint = self._routes().endpoint(key.region, key.name)
        if endpoint is None:
            raise errors.no_such_endpoint(key.name, account_id)
        return endpoint

    def _authenticate(self, routes: Routes, request: Request, body: bytes) -> Credential:
        try:
            credential = sigv4.authenticate(
                request.method,
                request.path,
                query=request.query,
                headers=request.headers,
                body_sha256=hashlib.sha256(body).hexdigest().encode(),
                secret_of=routes.secret_of,
                now=self._clock.now(),
            )
            sigv4.require_service(credential, _SIGNING_NAME)
        except AuthenticationError as error:
            raise answer_for(error, Protocol.REST_JSON) from error
        return credential

    def _pick_variant(self, endpoint: Endpoint, request: Request, account_id: str) -> Variant:
        wanted = request.header(target.TARGET_VARIANT)
        if wanted is None:
            variant = endpoint.ready.pick(self._draw())
            if variant is None:
                raise errors.no_ready_instance(endpoint.key.name)
            return variant
        name = wanted.decode("latin-1")
        variant = endpoint.variants.get(name)
        if variant is None:
            raise errors.no_such_variant(name, endpoint.key.name, account_id)
        return variant

    async def _ask(
        self,
        endpoint: Endpoint,
        request: Request,
        *,
        body: bytes,
        account_id: str,
        request_id: bytes,
    ) -> Response:
        """Ask one instance, and another only while no byte of the request has reached any.

        Each is looked for in the routes then in force: those of before may name instances that have gone since.
        """
        headers = target.container_headers(request.headers)
        tried: list[Instance] = []
        while len(tried) < _TRIES_MAX:
            variant = self._pick_variant(endpoint, request, account_id)
            now = self._clock.monotonic()
            instance = pick_instance(variant.instances, self._draw(), self._draw(), now=now, tried=tried)
            if instance is None:
                break
            blame = ModelErrors(endpoint.key, account_id, variant=variant.name, instance=instance.id)
            with Visit(instance) as visit:
                try:
                    answer = await self._send(instance, headers, body, blame)
                except NotSent:
                    tried.append(instance)
                    endpoint = self._endpoint(endpoint.key, account_id)
                    continue
                head = target.caller_headers(answer.headers, variant=variant.header, request_id=request_id)
                return await relay(answer, head, visit=visit, blame=blame)
        raise errors.no_ready_instance(endpoint.key.name)

    async def _send(
        self, instance: Instance, headers: list[tuple[bytes, bytes]], body: bytes, blame: ModelErrors
    ) -> Answer:
        try:
            answer = await self._client.request(
                instance.address,
                b"POST",
                b"/invocations",
                headers=headers,
                body=body,
                head_s=INVOCATION_S,
                total_s=INVOCATION_S,
            )
        except WireError as error:
            instance.health.record_failure(now=self._clock.monotonic())
            if isinstance(error, NotSent):
                raise
            raise _silence(error, blame) from error
        instance.health.record_success()
        return answer


def _silence(error: WireError, blame: ModelErrors) -> ServiceError:
    return blame.timed_out() if isinstance(error, NoAnswer) else blame.broke(str(error))


async def _read(request: Request) -> bytes:
    try:
        return await request.read(errors.PAYLOAD_BYTES_MAX)
    except BodyTooLarge as error:
        raise errors.payload_too_large() from error
