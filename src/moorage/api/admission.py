"""Who calls: a request's signature checked against its head and its body, before any of it is acted upon.

A body that is read whole is read here, and only after everything that can be refused without it. A body that streams is
opened here, and checks itself while it passes (`content`).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from moorage.api.asgi import Body
from moorage.api.content import in_time, open_content, whole_content
from moorage.api.limits import body_bytes_max, body_seconds, too_large
from moorage.aws import sigv2, sigv4
from moorage.aws.authentication import AuthenticationError, Failure
from moorage.aws.authorization import Authorization, parse_authorization
from moorage.aws.call import Target
from moorage.aws.canonical import Fields, header_fields
from moorage.aws.http import HttpRequest
from moorage.aws.routing import bucket_in_host
from moorage.aws.sigv4 import UNSIGNED_PAYLOAD
from moorage.core.iam.principal import KeyHolder, Principal

KeyRing = Callable[[str], KeyHolder | None]
"""Who holds the access key of an id, if it is known and in force."""

_LEGACY_REGION = "us-east-1"
"""Of a version 2 signature, which names none."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a signature has proven."""

    access_key_id: str
    principal: Principal
    region: str


class Admission:
    """Admits requests signed with a key of the ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def admit(self, target: Target, body: Body, *, now: datetime) -> Admitted:
        """Prove who sent `target.request`, and give it its `body` or its `stream`.

        Raises AuthenticationError, ServiceError for a body too large, too slow or not the signed one, and ClientGone.
        """
        request = target.request
        if target.service is not None and target.service.service_name == "s3" and sigv2.is_presigned(request):
            return await self._admit_legacy(target, body, now=now)
        fields = header_fields((name.lower().encode("latin-1"), _raw(value)) for name, value in request.headers.items())
        authorization = parse_authorization(_raw(request.query), fields)
        if target.service is not None:
            sigv4.require_service(authorization.credential, target.service.signing_name)
        sigv4.check_time(authorization, now)
        secret = sigv4.known_secret(authorization, self._secret_of)
        declared = sigv4.declared_payload(authorization, fields)
        if declared is None:
            request.body = await _collect(target, body, in_time(body.pieces(), body_seconds(body.length)))
            _verify(request, fields, authorization=authorization, secret=secret, payload=_sha256(request.body))
        else:
            _verify(request, fields, authorization=authorization, secret=secret, payload=declared)
            await _take_body(target, body, declared=declared, authorization=authorization, secret=secret)
        if target.streams_body and request.stream is None:
            request.stream = whole_content(request.body)
        return self._admitted(authorization.credential.access_key_id, authorization.credential.region)

    async def _admit_legacy(self, target: Target, body: Body, *, now: datetime) -> Admitted:
        request = target.request
        bucket = bucket_in_host(request)
        access_key_id = sigv2.authenticate(request, bucket=bucket, secret_of=self._secret_of, now=now)
        await _take_body(target, body, declared=UNSIGNED_PAYLOAD, authorization=None, secret="")
        return self._admitted(access_key_id, _LEGACY_REGION)

    def _secret_of(self, access_key_id: str) -> str | None:
        holder = self._keys(access_key_id)
        return holder.secret if holder else None

    def _admitted(self, access_key_id: str, region: str) -> Admitted:
        holder = self._keys(access_key_id)
        if holder is None:  # withdrawn while the body was on its way
            raise AuthenticationError(Failure.UNKNOWN_KEY, "The security token included in the request is invalid.")
        return Admitted(access_key_id, holder.principal, region)


def _verify(request: HttpRequest, fields: Fields, *, authorization: Authorization, secret: str, payload: bytes) -> None:
    sigv4.verify(
        authorization,
        secret,
        method=_raw(request.method),
        path=_raw(request.path),
        query=_raw(request.query),
        fields=fields,
        payload=payload,
    )


async def _take_body(
    target: Target, body: Body, *, declared: bytes, authorization: Authorization | None, secret: str
) -> None:
    """Open the body for a handler that streams it; for any other read it and check that it is the declared one."""
    request = target.request
    content = open_content(
        target, body.pieces(), declared=declared, authorization=authorization, secret=secret, length=body.length
    )
    if target.streams_body:
        request.stream = content
    else:
        request.body = await _collect(target, body, content)


async def _collect(target: Target, body: Body, pieces: AsyncIterator[bytes]) -> bytes:
    limit = body_bytes_max(target)
    if (body.length or 0) > limit:
        raise too_large(target)
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) > limit:
            raise too_large(target)
    return bytes(held)


def _sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _raw(text: str) -> bytes:
    return text.encode("latin-1")
