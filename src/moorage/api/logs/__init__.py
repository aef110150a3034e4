"""CloudWatch Logs, as far as it is read: the endpoints' log groups and their streams."""

from moorage.api.logs.service import Logs

__all__ = ["Logs"]
