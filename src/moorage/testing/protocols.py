"""Clients that speak another of their service's protocols than botocore would choose."""

from __future__ import annotations

from typing import Any

from botocore.serialize import create_serializer


def speaking(client: Any, protocol: str) -> Any:
    """`client`, which speaks `protocol` from now on: one of the names in its service model (`json`, `query`, …).

    botocore goes by a cached property of the service model, and by a serializer that the client was made with.
    """
    client.meta.service_model.resolved_protocol = protocol
    client._serializer = create_serializer(protocol)
    return client
