"""What everything that is sent says of who sends it."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from opentelemetry.sdk.resources import Resource

SCOPE: Final = "moorage"


def make_resource(part: str, *, instance: str) -> Resource:
    """A part of this Moorage, `gateway` or `control`, and which process of it."""
    return Resource(
        {
            "service.namespace": "moorage",
            "service.name": f"moorage-{part}",
            "service.instance.id": instance,
            "service.version": metadata.version("moorage"),
        }
    )
