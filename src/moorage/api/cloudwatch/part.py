"""What the parts of the CloudWatch service have in common: what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from moorage.api.service import Service
from moorage.api.tokens import PageTokens
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.telemetry.metrics.base import MetricSink, MetricSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the operations act through. `metrics` is every metric that can be read, `sink` where metrics are put."""

    store: Store
    clock: Clock
    account_id: str
    metrics: MetricSource
    sink: MetricSink
    tokens: PageTokens
    wake_alarms: Callable[[], None]
    """Have the alarms looked at now."""


class Part(Service):
    """Some of the operations."""

    name: ClassVar[str] = "cloudwatch"

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._store = needs.store
        self._clock = needs.clock
        self._metrics = needs.metrics
        self._tokens = needs.tokens
