"""Application Auto Scaling, for the variants of endpoints."""

from moorage.api.application_autoscaling.service import ApplicationAutoScaling

__all__ = ["ApplicationAutoScaling"]
