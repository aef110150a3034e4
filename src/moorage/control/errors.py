"""What may go wrong in a loop and be right when tried again."""

from __future__ import annotations

from moorage.runners.base import RunnerError
from moorage.store.base import StoreUnavailable


class GatewayUnsure(Exception):
    """A gateway is there but did not confirm: it may be using the old routes, or the new ones."""


TRANSIENT = (GatewayUnsure, RunnerError, StoreUnavailable)
"""Errors after which the same is tried again later, without a traceback in the log."""
