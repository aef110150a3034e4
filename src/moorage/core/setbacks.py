"""How often an instance has failed in a row, how long its next launch waits, and when a launch is given up.

Worked example of one that exits whenever it starts: launched, exits (1), launched again at once, exits (2), launched
after 1 s, exits (3). While its fleet is being brought up that ends the matter; in a serving fleet it goes on with
waits of 2, 4, 8 … 60 s. One that was lost is launched again at once, however often: nothing says it failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from moorage.core.capacity import INSUFFICIENT
from moorage.core.fleets import added_instances, wanted_instances
from moorage.core.model import (
    Endpoint,
    Fleet,
    InstanceId,
    InstanceSpec,
    InstanceState,
    LaunchFailures,
    Observation,
    Variant,
    instances_of,
)
from moorage.core.names import log_stream

LAUNCH_ATTEMPTS_MAX: Final = 3
BACKOFF_FIRST: Final = timedelta(seconds=1)
BACKOFF_MAX: Final = timedelta(seconds=60)
FORGIVEN_AFTER: Final = timedelta(seconds=60)
"""Ready for this long, an instance starts with a clean slate when it fails again."""

REASON_LENGTH_MAX: Final = 1024
"""Of SageMaker's `FailureReason`."""

_FAULTY = frozenset({InstanceState.EXITED, InstanceState.FAILED, InstanceState.UNHEALTHY})
_DOWN = _FAULTY | {InstanceState.LOST}


def is_down(observation: Observation) -> bool:
    """Whether the instance has to be stopped and launched again to be of any use."""
    return observation.state in _DOWN


def remember(
    endpoint: Endpoint, instances: Mapping[InstanceId, Observation], *, now: datetime
) -> dict[InstanceId, LaunchFailures]:
    """The failures of all wanted instances, with those seen for the first time and without those lived down."""
    failures: dict[InstanceId, LaunchFailures] = {}
    for instance in wanted_instances(endpoint):
        past, observation = endpoint.failures.get(instance), instances.get(instance)
        present = past if observation is None else _judge(endpoint, observation, past, now=now)
        if present is not None:
            failures[instance] = present
    return failures


def launch_not_before(failures: LaunchFailures | None, *, now: datetime) -> datetime:
    """When the next launch may be tried: at once after the first failure, then after 1 s, 2 s … 60 s."""
    if failures is None or failures.count <= 1:
        return now
    doublings = min(failures.count - 2, 10)  # 1024 s is beyond the maximum, and larger factors overflow in time
    return failures.last_at + min(BACKOFF_MAX, BACKOFF_FIRST * (1 << doublings))


def forgiven_at(observation: Observation) -> datetime | None:
    """When a ready instance's failures are forgotten; None if it is not ready, or nobody knows since when."""
    if observation.state is not InstanceState.READY or observation.since is None:
        return None
    return observation.since + FORGIVEN_AFTER


def launch_fault(endpoint: Endpoint, instances: Mapping[InstanceId, Observation]) -> str | None:
    """Why the target cannot come up, as a `FailureReason`; None while there is hope."""
    for spec in added_instances(endpoint):
        observation = instances.get(spec.id)
        failures = endpoint.failures.get(spec.id)
        if observation is not None and observation.state is InstanceState.FAILED:
            return _failure_reason(spec, observation.reason)
        if failures is not None and failures.count >= LAUNCH_ATTEMPTS_MAX:
            return _failure_reason(spec, failures.reason)
    return None


def hopeless_variants(endpoint: Endpoint, fleet: Fleet) -> dict[str, str]:
    """Why variants of `fleet` do not come up of which every instance fails, as sentences by the variants' names.

    Their launches go on all the same.
    """
    faults: dict[str, str] = {}
    hopeful: set[str] = set()
    for spec in instances_of(endpoint, fleet):
        failures = endpoint.failures.get(spec.id)
        if failures is not None and _is_hopeless(failures):
            faults.setdefault(spec.variant.name, _failure_reason(spec, failures.reason))
        else:
            hopeful.add(spec.variant.name)
    return {variant: fault for variant, fault in faults.items() if variant not in hopeful}


def _is_hopeless(failures: LaunchFailures) -> bool:
    return failures.is_certain or failures.count >= LAUNCH_ATTEMPTS_MAX


def _judge(
    endpoint: Endpoint, observation: Observation, past: LaunchFailures | None, *, now: datetime
) -> LaunchFailures | None:
    if observation.state in _FAULTY and observation.id not in endpoint.draining:
        if past is not None and observation.since is not None and observation.since <= past.last_at:
            return past  # counted already: it is still waiting to be stopped
        return LaunchFailures(
            count=past.count + 1 if past else 1,
            last_at=now,
            reason=observation.reason or "",
            is_certain=observation.state is InstanceState.FAILED,
        )
    forgiven = forgiven_at(observation)
    return None if forgiven is not None and now >= forgiven else past


def _failure_reason(spec: InstanceSpec, reason: str | None) -> str:
    """`reason`, and where to read on. One in SageMaker's words already is left alone."""
    variant = spec.variant
    in_its_words = (INSUFFICIENT, *(_subject(variant, each.name) for each in variant.containers))
    if reason is not None and reason.startswith(in_its_words):
        return reason[:REASON_LENGTH_MAX]
    name, cause = _accused(variant, reason or "no cause was given")
    subject = _subject(variant, name)
    stream = log_stream(variant.name, spec.id, name if len(variant.containers) > 1 else None)
    see = f"Please check CloudWatch logs for this endpoint (log stream {stream})."
    room = REASON_LENGTH_MAX - len(subject) - len(see) - len(" failed to start: . ")
    return f"{subject} failed to start: {cause[:room].rstrip('.')}. {see}"


def _subject(variant: Variant, container: str | None) -> str:
    whose = f"container for production variant {variant.name}"
    return f"The {container} {whose}" if container is not None else f"A {whose}"


def _accused(variant: Variant, reason: str) -> tuple[str | None, str]:
    """The container that a reason is about, and the rest of the reason: where there are several, it begins with a name.

    None if it is about the instance as a whole.
    """
    if len(variant.containers) == 1:
        return variant.containers[0].name, reason
    name, separator, cause = reason.partition(": ")
    is_name = separator and any(each.name == name for each in variant.containers)
    return (name, cause) if is_name else (None, reason)
