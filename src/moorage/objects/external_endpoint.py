"""How to reach an S3 endpoint outside Moorage. Apart from its reader, for whoever is told it need not import boto3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExternalEndpoint:
    """How to reach an S3 endpoint. None: as boto3 finds it (environment, profile, instance role)."""

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    ca_bundle: str | None = None
    checksums: Literal["when_supported", "when_required"] = "when_required"
    """Many stores other than AWS's do not know the newer checksums."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 60.0
    attempts_max: int = 3
