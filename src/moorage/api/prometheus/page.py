"""The page that Prometheus scrapes, for whoever has one of the keys made for it.

`/metrics` alone could be a bucket of the S3 store: it is a bearer key that makes a request one for this page.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from prometheus_client.exposition import choose_encoder

from moorage.api.bearer_keys.metrics_keys import find_metrics_keys
from moorage.api.prometheus.families import Families
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.core.figures import State, figures
from moorage.store.base import Store

_BEARER: Final = "bearer "
_REFUSED: Final = b"The bearer key is not one of those that `moorage keys create --metrics` made.\n"


class MetricsPage:
    """Says what `gather` finds. With `?by=instance` the traffic of a variant's instances is told apart."""

    def __init__(self, store: Store, gather: Callable[[], Awaitable[State]]) -> None:
        self._store = store
        self._gather = gather

    def is_meant(self, request: HttpRequest) -> bool:
        """Whether a request is for this page."""
        authorization = request.headers.get("authorization", "") or ""
        return (request.method, request.path) == ("GET", "/metrics") and authorization.lower().startswith(_BEARER)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """The figures as of now, in the format that the caller likes best. Raises StoreUnavailable."""
        if not await self._is_allowed(request.headers.get("authorization", "") or ""):
            challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
            return HttpResponse(401, Headers([challenge, ("Content-Type", "text/plain")]), _REFUSED)
        by_instance = "instance" in parse_qs(request.query).get("by", ())
        write, content_type = choose_encoder(request.headers.get("accept", "") or "")
        state = await self._gather()
        body = await asyncio.to_thread(lambda: write(Families(figures(state, by_instance=by_instance))))
        return HttpResponse(200, Headers([("Content-Type", content_type)]), body)

    async def _is_allowed(self, authorization: str) -> bool:
        digest = hashlib.sha256(authorization[len(_BEARER) :].strip().encode("latin-1")).hexdigest()
        document = await self._store.read(find_metrics_keys)
        return document is not None and any(key["Digest"] == digest for key in document.body["Keys"].values())
