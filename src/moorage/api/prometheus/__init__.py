"""`GET /metrics` in the formats that Prometheus scrapes."""

from moorage.api.prometheus.page import MetricsPage

__all__ = ["MetricsPage"]
