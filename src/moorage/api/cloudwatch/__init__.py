"""Amazon CloudWatch: metrics, alarms, dashboards."""

from moorage.api.cloudwatch.service import CloudWatch

__all__ = ["CloudWatch"]
