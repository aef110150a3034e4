"""How quickly variants are scaled."""

from __future__ import annotations

from enum import StrEnum


class ScalingSpeed(StrEnum):
    """The setting `scaling_speed`."""

    FAST = "fast"
    """Predefined metrics are tracked by a signal of one second. Everything else goes by alarms."""
    COMPATIBLE = "compatible"
    """Everything goes by alarms, as with the service: out after three minutes, in after fifteen."""
