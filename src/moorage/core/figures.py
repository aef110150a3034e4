"""What Moorage says of itself to those who collect figures: names, labels and values, however they leave. Pure.

Counters are sums over all time that the store keeps, so they go on where they were after any restart. A series that
nothing is left of ends; it never falls.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from moorage.core.capacity import Resources
from moorage.core.fleets import wanted_instances
from moorage.core.latency import Histogram, bucket_of
from moorage.core.model import Endpoint, Observation
from moorage.core.traffic import Outcome, SeriesKey, Tallies, Tally

Labels = Mapping[str, str]

EDGES_US: Final = tuple(1 << bits for bits in range(8, 28))
"""Of the buckets that latencies are told in, from 256 µs to 134 s: each is an edge of `core.latency` too."""


_EDGE_BUCKETS: Final = tuple(map(bucket_of, EDGES_US))


class Kind(enum.Enum):
    """How a figure goes on from one look to the next."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value. Of a HISTOGRAM it is one of latencies, told in seconds."""

    labels: Labels
    value: float | Histogram


@dataclass(frozen=True, slots=True)
class Figure:
    """All values of one name; a counter's name does not end in `_total`."""

    name: str
    help: str
    kind: Kind
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class State:
    """All that figures are made of."""

    totals: Tallies = field(default_factory=dict)
    """Ever, those of the last minute included."""
    in_flight: Tallies = field(default_factory=dict)
    """As of the last second."""
    scalings: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many scaling activities there ever were, by region and target: `<resource id>|<dimension>`."""
    sleeps: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often variants were put to sleep or woken, by region and endpoint."""
    endpoints: Sequence[Endpoint] = ()
    instances: Sequence[Observation] = ()
    offered: Resources = field(default_factory=Resources)
    reserved: Resources = field(default_factory=Resources)
    route_table_version: int = 0
    lag_s: float = 0.0


def figures(state: State, *, by_instance: bool = False) -> tuple[Figure, ...]:
    """Every figure there is. `by_instance` tells the traffic of each instance of a variant apart."""
    totals = join(state.totals, by_instance=by_instance)
    in_flight = join(state.in_flight, by_instance=by_instance)
    return (
        *_traffic_figures(totals),
        _figure("requests_in_flight", "Requests on instances.", Kind.GAUGE, in_flight, lambda tally: tally.in_flight),
        *_endpoint_figures(state),
        *_event_figures(state),
        *_machine_figures(state),
    )


def join(tallies: Tallies, *, by_instance: bool) -> Tallies:
    """The sum of each variant, or of each of its instances.

    What is left of variants that are no more is left out: it would make an endpoint's counters jump.
    """
    sums: dict[SeriesKey, Tally] = {}
    for key, tally in tallies.items():
        if key.config:
            group = key if by_instance else key._replace(instance="")
            sums[group] = sums.get(group, Tally()) + tally
    return sums


def cumulative(histogram: Histogram) -> list[int]:
    """How many values are below each of `EDGES_US`."""
    between = [0] * (len(EDGES_US) + 1)
    for bucket, count in histogram.counts.items():
        between[bisect_right(_EDGE_BUCKETS, bucket)] += count
    return list(accumulate(between[:-1]))


def _traffic_figures(totals: Tallies) -> Iterable[Figure]:
    outcomes = tuple(
        Sample({**labels_of(key), "outcome": outcome.name.lower()}, tally.outcomes[outcome])
        for key, tally in totals.items()
        for outcome in Outcome
        if tally.outcomes[outcome]
    )
    yield Figure("moorage_invocations", "Invocations, by what became of them.", Kind.COUNTER, outcomes)
    yield _figure("received_bytes", "Bytes of request bodies.", Kind.COUNTER, totals, lambda tally: tally.bytes_in)
    yield _figure("sent_bytes", "Bytes of answers' bodies.", Kind.COUNTER, totals, lambda tally: tally.bytes_out)
    asked = {key: tally for key, tally in totals.items() if tally.model.counts}
    yield _figure(
        "model_latency_seconds",
        "From the first byte sent to an instance to the last it answered.",
        Kind.HISTOGRAM,
        asked,
        lambda tally: tally.model,
    )
    yield _figure(
        "overhead_latency_seconds",
        "What an invocation took beyond the model's latency.",
        Kind.HISTOGRAM,
        asked,
        lambda tally: tally.overhead,
    )


def _figure(name: str, text: str, kind: Kind, tallies: Tallies, value: Callable[[Tally], float | Histogram]) -> Figure:
    samples = tuple(Sample(labels_of(key), value(tally)) for key, tally in tallies.items())
    return Figure(f"moorage_{name}", text, kind, samples)


def labels_of(key: SeriesKey) -> dict[str, str]:
    """A series as labels; an instance only if it has one."""
    labels = {"region": key.region, "endpoint": key.endpoint, "config": key.config, "variant": key.variant}
    return {**labels, "instance": key.instance} if key.instance else labels


def _endpoint_figures(state: State) -> Iterable[Figure]:
    statuses = tuple(
        Sample({**_endpoint_labels(each), "config": each.config_name, "status": each.status.value}, 1)
        for each in state.endpoints
    )
    yield Figure("moorage_endpoint_status", "1 for the status that an endpoint has.", Kind.GAUGE, statuses)
    desired = tuple(
        Sample({**_endpoint_labels(each), "variant": variant.name}, variant.desired_count)
        for each in state.endpoints
        if each.serving is not None
        for variant in each.serving.variants
    )
    yield Figure("moorage_desired_instances", "Instances that a variant is to have.", Kind.GAUGE, desired)
    variants = {
        instance: spec.variant.name for each in state.endpoints for instance, spec in wanted_instances(each).items()
    }
    counts = Counter((seen.endpoint, variants.get(seen.id, ""), seen.state) for seen in state.instances)
    instances = tuple(
        Sample({"region": key.region, "endpoint": key.name, "variant": variant, "state": status.value}, count)
        for (key, variant, status), count in counts.items()
    )
    yield Figure("moorage_instances", "Instances by state; on their way out, of no variant.", Kind.GAUGE, instances)


def _endpoint_labels(endpoint: Endpoint) -> dict[str, str]:
    return {"region": endpoint.key.region, "endpoint": endpoint.key.name}


def _event_figures(state: State) -> Iterable[Figure]:
    scalings = tuple(
        Sample({"region": region, **dict(zip(("resource", "dimension"), target.split("|"), strict=False))}, count)
        for (region, target), count in state.scalings.items()
    )
    yield Figure("moorage_scaling_activities", "Scaling activities, whatever came of them.", Kind.COUNTER, scalings)
    sleeps = tuple(
        Sample({"region": region, "endpoint": endpoint}, count) for (region, endpoint), count in state.sleeps.items()
    )
    yield Figure("moorage_sleep_changes", "How often variants fell asleep or were woken.", Kind.COUNTER, sleeps)


def _machine_figures(state: State) -> Iterable[Figure]:
    yield Figure("moorage_capacity_offered", "What instances may reserve.", Kind.GAUGE, _amounts(state.offered))
    yield Figure("moorage_capacity_reserved", "What instances have reserved.", Kind.GAUGE, _amounts(state.reserved))
    version = (Sample({}, state.route_table_version),)
    yield Figure("moorage_route_table_version", "The route table that gateways are to use.", Kind.GAUGE, version)
    lag = (Sample({}, state.lag_s),)
    yield Figure("moorage_control_lag_seconds", "How late control's loop was in the last minute.", Kind.GAUGE, lag)


def _amounts(resources: Resources) -> tuple[Sample, ...]:
    amounts = {"vcpus": resources.vcpus, "memory_bytes": resources.memory_bytes, "gpus": resources.gpus}
    return tuple(Sample({"resource": name}, value) for name, value in amounts.items())
