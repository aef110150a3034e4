"""Where a request goes that names a variant or its session; or by weight, as all others do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from moorage.gateway import errors, sessions
from moorage.gateway.instance import Instance
from moorage.gateway.pick import Draw
from moorage.gateway.tables import Endpoint, Variant
from moorage.gateway.target import TARGET_VARIANT, Operation

_STREAM: Final = Operation.STREAM


class Aim(NamedTuple):
    """One variant, any of its instances or `only` one of them."""

    variant: Variant
    only: Instance | None = None
    session_id: bytes | None = None
    """What the container is told of a session; None if there is none."""


def aim(endpoint: Endpoint, fields: Mapping[bytes, bytes], operation: Operation, *, account_id: str, draw: Draw) -> Aim:
    """What the fields ask for; by weight whatever they leave open. Raises ServiceError."""
    session_id = fields.get(sessions.SESSION_ID)
    wanted = fields.get(TARGET_VARIANT)
    variant = by_weight(endpoint, draw) if wanted is None else _named(endpoint, wanted.decode("latin-1"), account_id)
    if session_id is None:
        return Aim(variant)
    session = (sessions.of_stream if operation is _STREAM else sessions.of_invocation)(session_id)
    if session is None:
        return Aim(variant, session_id=sessions.NEW_SESSION)
    home = endpoint.find(session.instance)
    if home is None or (wanted is not None and home[0] is not variant):
        raise errors.no_such_session(session_id.decode(), endpoint.key.name)
    return Aim(*home, session.container_id)


def by_weight(endpoint: Endpoint, draw: Draw) -> Variant:
    """Where a request goes that does not aim. Raises ServiceError."""
    variant = endpoint.ready.pick(draw())
    if variant is None and endpoint.fault:
        raise errors.no_instance_comes(endpoint.key.name, endpoint.fault)
    if variant is None:
        raise errors.no_ready_instance(endpoint.key.name)
    return variant


def _named(endpoint: Endpoint, name: str, account_id: str) -> Variant:
    variant = endpoint.variants.get(name)
    if variant is None:
        raise errors.no_such_variant(name, endpoint.key.name, account_id)
    return variant
