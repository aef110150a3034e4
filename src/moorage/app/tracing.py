"""Puts together what sends the traces of a gateway worker."""

from __future__ import annotations

import os

from moorage.app.settings import Settings
from moorage.gateway.tracing import Tracer
from moorage.system.clock import Clock

OTLP_TIMEOUT_S = 5.0
"""How long a collector may take; what is to be sent waits meanwhile, and is dropped beyond its bound."""


def make_tracer(settings: Settings, worker: int, *, clock: Clock) -> Tracer | None:
    """None unless the settings name a collector."""
    if not settings.otlp_endpoint:
        return None
    from moorage.telemetry.otlp.traces import span_sender  # an extra, and a third of a second to import

    instance = f"gateway-{worker}-{os.getpid()}"
    send = span_sender(settings.otlp_endpoint.rstrip("/"), instance=instance, timeout_s=OTLP_TIMEOUT_S)
    return Tracer(send, clock=clock, traces_per_s=settings.traces_per_s)
