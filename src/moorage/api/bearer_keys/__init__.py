"""Bearer keys, for callers that cannot sign: what invokes one endpoint, and what opens the metrics page."""

from moorage.api.bearer_keys.metrics_keys import MetricsKeys
from moorage.api.bearer_keys.service import BearerKeys

__all__ = ["BearerKeys", "MetricsKeys"]
