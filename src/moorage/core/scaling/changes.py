"""What becomes of a target and its endpoint when capacity is to change: values in, values out.

An activity is begun in the same save as the change it tells of, and is over when the endpoint has come to rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from moorage.core.endpoint import IllegalTransition, VariantChange, set_weights_and_capacities
from moorage.core.model import Endpoint, EndpointStatus
from moorage.core.scaling.activity import Activity, ActivityStatus, NotScaled, NotScaledCode, Progress
from moorage.core.scaling.model import Memory, ScalableTarget, ScaleOut
from moorage.core.scaling.texts import ATTEMPTING, abandoned, failed, fulfilled, setting, waiting

RETRY_AFTER: Final = timedelta(minutes=1)
"""How long after a change was taken back another one may be tried."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A capacity to be set, and what is written down of it."""

    capacity: int
    cause: str
    details: str | None = None
    base: int | None = None
    """See `Wish.base`."""


def capacity_of(endpoint: Endpoint, variant: str) -> int | None:
    """How many instances of a variant are desired; None if it has no such variant in service."""
    fleet = endpoint.serving
    found = next((each for each in fleet.variants if each.name == variant), None) if fleet else None
    return None if found is None else found.desired_count


def is_scalable(endpoint: Endpoint) -> bool:
    """Whether capacity may be changed now: while an update runs it may not."""
    return endpoint.status is EndpointStatus.IN_SERVICE


def resized(endpoint: Endpoint, variant: str, capacity: int, *, now: datetime) -> Endpoint | None:
    """The endpoint, Updating towards another capacity; None while it cannot be changed."""
    try:
        return set_weights_and_capacities(endpoint, {variant: VariantChange(desired_count=capacity)}, now=now)
    except IllegalTransition:
        return None


def begun(wanted: Wanted, *, activity_id: str, now: datetime) -> Activity:
    """The activity of a change that is being saved."""
    return Activity(
        id=activity_id,
        description=setting(wanted.capacity),
        cause=wanted.cause,
        status=ActivityStatus.IN_PROGRESS,
        status_message=waiting(wanted.capacity),
        started_at=now,
        details=wanted.details,
    )


def remembered(target: ScalableTarget, wanted: Wanted, *, current: int, now: datetime) -> ScalableTarget:
    """The target after its capacity has been set: what cooldowns go by, and nothing left to adjust or to explain."""
    failed_at = target.memory.failed_at
    if wanted.capacity > current:
        base = current if wanted.base is None else wanted.base
        memory = Memory(scale_out=ScaleOut(now, base=base), failed_at=failed_at)
    else:
        memory = replace(target.memory, scale_in_at=now)
    return replace(target, memory=memory, is_to_adjust=False, not_scaled=None)


def ended(progress: Progress, endpoint: Endpoint | None, variant: str, *, now: datetime) -> Activity | None:
    """The activity once the endpoint has come to rest; None while it has not."""
    if endpoint is None or endpoint.status is EndpointStatus.DELETING:
        return _failed(progress, "the endpoint is being deleted", now=now)
    if endpoint.status not in (EndpointStatus.IN_SERVICE, EndpointStatus.FAILED):
        return None
    if capacity_of(endpoint, variant) != progress.capacity or endpoint.status is EndpointStatus.FAILED:
        return _failed(progress, endpoint.failure_reason or "another change took its place", now=now)
    message = fulfilled(progress.capacity)
    return replace(progress.activity, status=ActivityStatus.SUCCESSFUL, status_message=message, ended_at=now)


def left(progress: Progress, *, now: datetime) -> Activity:
    """The activity of a target that goes while its change is under way: that goes on, and nobody tells its end."""
    message = abandoned(progress.capacity)
    return replace(progress.activity, status=ActivityStatus.UNFULFILLED, status_message=message, ended_at=now)


def is_backing_off(memory: Memory, *, now: datetime) -> bool:
    """Whether a change has just been taken back."""
    return memory.failed_at is not None and now < memory.failed_at + RETRY_AFTER


def not_scaled(cause: str, reason: NotScaled, *, details: str, activity_id: str, now: datetime) -> Activity:
    """The activity that tells why nothing was done."""
    return Activity(
        id=activity_id,
        description=ATTEMPTING,
        cause=cause,
        status=ActivityStatus.FAILED,
        status_message=_SAID[reason.code],
        started_at=now,
        ended_at=now,
        details=details,
        not_scaled=(reason,),
    )


def reason_key(reason: NotScaled, policy: str) -> str:
    """What tells one such reason from another: while it stays, it is written down once."""
    return f"{reason.code.value} {policy}"


_SAID: Final = {
    NotScaledCode.AT_MAXIMUM: "The capacity is at the maximum already.",
    NotScaledCode.AT_MINIMUM: "The capacity is at the minimum already.",
    NotScaledCode.UNSCALABLE: "The endpoint is being changed: it will be tried again.",
}


def _failed(progress: Progress, reason: str, *, now: datetime) -> Activity:
    message = failed(progress.capacity, reason)
    return replace(progress.activity, status=ActivityStatus.FAILED, status_message=message, ended_at=now)
