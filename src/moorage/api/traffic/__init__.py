"""Traffic: what was counted of invocations, as an operation of Moorage's own beside the metrics of CloudWatch."""

from moorage.api.traffic.service import Traffic

__all__ = ["Traffic"]
