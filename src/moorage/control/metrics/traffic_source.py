"""The metrics of the endpoints' traffic, read from what was counted: never copied, so they are as exact as the counts.

A call is in them as soon as `control.accounts` has saved its second. What is older than the minutes' keeping is in the
archive by longer periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from moorage.core.metrics.distribution import Distribution
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.resolutions import RESOLUTIONS
from moorage.core.metrics.traffic import NAMESPACE, TRAFFIC_METRICS, Scope, TrafficMetric, scope_of, scopes_of
from moorage.core.model import EndpointKey
from moorage.core.traffic import Tally
from moorage.store.base import Counted, Store, StoreUnavailable, Transaction
from moorage.telemetry.metrics.base import MetricFilter, MetricSource, MetricsUnavailable, Series

PRESENCE: Final = "ConcurrentRequestsPerModel"
"""What is measured of every variant that can be invoked, whether it is or not."""

_MINUTE_S: Final = 60
_ZERO: Final = Distribution(1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One of the metrics to be read."""

    key: MetricKey
    scope: Scope
    metric: TrafficMetric


@dataclass(frozen=True, slots=True)
class _Span:
    """Which time is read, and by what periods."""

    since_s: int
    until_s: int
    period_s: int


class TrafficSource:
    """A `MetricSource`. `presence` is where `PRESENCE` is found: by that, silence is told from absence."""

    def __init__(self, store: Store, presence: MetricSource) -> None:
        self._store = store
        self._presence = presence

    async def find(self, wanted: MetricFilter) -> Sequence[MetricKey]:
        """As `MetricSource.find`."""
        if wanted.namespace not in (None, NAMESPACE):
            return []
        try:
            latest = await self._store.read(lambda tx: tx.traffic.latest(wanted.region))
        except StoreUnavailable as error:
            raise MetricsUnavailable(str(error)) from error
        since_s = wanted.active_since_s or 0.0
        scopes = {scope for series, at_s in latest.items() if at_s >= since_s for scope in scopes_of(series)}
        keys = {scope.metric(name) for scope in scopes for name in TRAFFIC_METRICS} | await self._find_silent(wanted)
        return sorted(key for key in keys if wanted.accepts(key))

    async def read(
        self, keys: Sequence[MetricKey], *, since_s: int, until_s: int, period_s: int, unit: str | None = None
    ) -> Mapping[MetricKey, Series]:
        """As `MetricSource.read`."""
        span = _Span(since_s, until_s, period_s)
        asked = [
            _Asked(key, scope, metric)
            for key in keys
            if (scope := scope_of(key)) is not None and unit in (None, (metric := TRAFFIC_METRICS[key.name]).unit)
        ]
        try:
            found = await self._store.read(lambda tx: _read(tx, asked, span)) if asked else {}
        except StoreUnavailable as error:
            raise MetricsUnavailable(str(error)) from error
        zeros = await self._zeros(asked, span)
        return {key: {**zeros.get(key, {}), **found.get(key, {})} for key in keys}

    async def units(self, key: MetricKey) -> Sequence[str]:
        """As `MetricSource.units`."""
        return [TRAFFIC_METRICS[key.name].unit] if scope_of(key) is not None else []

    async def _find_silent(self, wanted: MetricFilter) -> set[MetricKey]:
        """What is 0 of the variants that were there, and may never have been invoked."""
        there = await self._presence.find(replace(wanted, namespace=NAMESPACE, name=PRESENCE))
        names = [name for name, metric in TRAFFIC_METRICS.items() if metric.has_zeros]
        return {key._replace(name=name) for key in there for name in names}

    async def _zeros(self, asked: Iterable[_Asked], span: _Span) -> Mapping[MetricKey, Series]:
        """A 0 for every period in which the variant was there."""
        presence = {
            each.key: each.scope.metric(PRESENCE)
            for each in asked
            if each.metric.has_zeros and each.scope.variant is not None and each.scope.config is None
        }
        if not presence:
            return {}
        found = await self._presence.read(
            sorted(set(presence.values())), since_s=span.since_s, until_s=span.until_s, period_s=span.period_s
        )
        return {key: dict.fromkeys(found[sampled], _ZERO) for key, sampled in presence.items()}


def _read(tx: Transaction, asked: Sequence[_Asked], span: _Span) -> Mapping[MetricKey, Series]:
    by_endpoint: dict[EndpointKey, list[_Asked]] = {}
    for each in asked:
        by_endpoint.setdefault(each.scope.endpoint, []).append(each)
    found: dict[MetricKey, Series] = {}
    for endpoint, of_endpoint in by_endpoint.items():
        latencies = any(each.metric.needs_latencies for each in of_endpoint)
        counted = _counted(tx, endpoint, span, latencies=latencies)
        by_scope: dict[Scope, Mapping[int, Tally]] = {}
        for each in of_endpoint:
            if each.scope not in by_scope:
                by_scope[each.scope] = _by_period(counted, each.scope, span)
            found[each.key] = {
                at_s: values
                for at_s, tally in by_scope[each.scope].items()
                if (values := each.metric.of(tally)) is not None
            }
    return found


def _counted(tx: Transaction, endpoint: EndpointKey, span: _Span, *, latencies: bool) -> Sequence[Counted]:
    """What was counted in the time, each invocation once, as finely as it is kept and the periods need it."""
    traffic = tx.traffic
    seconds_from_s = traffic.progress().minutes_until_s
    if span.period_s < _MINUTE_S:
        seconds_from_s -= RESOLUTIONS[0].kept_s
    minutes_until_s = min(span.until_s, seconds_from_s)
    seconds_since_s = max(span.since_s, seconds_from_s)
    return [
        *traffic.archived(span.since_s, minutes_until_s, endpoint=endpoint, latencies=latencies),
        *traffic.minutes(span.since_s, minutes_until_s, endpoint=endpoint, latencies=latencies),
        *(
            traffic.seconds(seconds_since_s, span.until_s, endpoint=endpoint, latencies=latencies)
            if seconds_since_s < span.until_s
            else ()
        ),
    ]


def _by_period(counted: Iterable[Counted], scope: Scope, span: _Span) -> Mapping[int, Tally]:
    periods: dict[int, Tally] = {}
    for at_s, key, tally in counted:
        if scope.includes(key):
            begin_s = at_s - at_s % span.period_s
            known = periods.get(begin_s)
            periods[begin_s] = tally if known is None else known.then(tally)
    return periods
