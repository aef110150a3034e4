"""Bearer keys: what invokes one endpoint over plain HTTP, for callers that cannot sign."""

from moorage.api.bearer_keys.service import BearerKeys

__all__ = ["BearerKeys"]
