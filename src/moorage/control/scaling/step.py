"""One look at a target: everything that is due is decided and saved in one transaction.

Whatever is wanted is wanted still if the transaction is lost: nothing is acted on before it is saved.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from moorage.control.scaling.timetable import carry_out_schedule, next_due
from moorage.core.model import Endpoint
from moorage.core.scaling.activity import ActivityStatus, NotScaled, NotScaledCode, Progress
from moorage.core.scaling.changes import (
    RETRY_AFTER,
    Wanted,
    begun,
    capacity_of,
    ended,
    is_backing_off,
    not_scaled,
    reason_key,
    remembered,
    resized,
)
from moorage.core.scaling.combine import Verdict
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy, TargetKey
from moorage.core.scaling.texts import by_bounds
from moorage.store.base import Transaction
from moorage.store.scaling import (
    amend_activity,
    deregister,
    find_target,
    list_policies,
    save_target,
    write_activity,
)
from moorage.system.entropy import new_uuid

BUSY: Final = NotScaled(NotScaledCode.UNSCALABLE)
ORPHAN_KEPT: Final = timedelta(minutes=5)
"""How long a target outlives its endpoint, so that it can still be deregistered, as it can with the service."""


@dataclass(frozen=True, slots=True)
class Call:
    """A change that policies came to, and the capacity that they came to it at."""

    verdict: Verdict
    cause: str
    at_capacity: int


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a target after a look."""

    target: ScalableTarget
    policies: Sequence[ScalingPolicy]
    endpoint: Endpoint | None
    changed: bool
    """Whether the endpoint was saved."""
    wake_at: datetime | None


def look(tx: Transaction, key: TargetKey, call: Call | None, *, instances_max: int, now: datetime) -> Found | None:
    """Do what is due; None if there is no such target (any more). Raises StaleVersion."""
    target = find_target(tx, key)
    if target is None:
        return None
    endpoint = tx.endpoints.get(key.endpoint)
    if endpoint is None or endpoint.uid != target.endpoint_uid:
        return _orphaned(tx, target, is_replaced=endpoint is not None, now=now)
    before = target
    target = _finished(tx, target, endpoint, now=now)
    target = carry_out_schedule(tx, target, now=now)
    target = replace(_updated(target, endpoint), orphaned_at=None)
    after, resized_to = _scaled(tx, target, endpoint, call, instances_max=instances_max, now=now)
    if after != before:
        save_target(tx, after)
    if resized_to is not None:
        endpoint = tx.endpoints.swap(resized_to)
    policies = list_policies(tx, key.region, key)
    return Found(after, policies, endpoint, resized_to is not None, _next_look(tx, after, now=now))


def _orphaned(tx: Transaction, target: ScalableTarget, *, is_replaced: bool, now: datetime) -> Found | None:
    """See to a target whose endpoint is gone: it goes too, a while later, or at once when its name is taken."""
    since = target.orphaned_at or now
    if is_replaced or now >= since + ORPHAN_KEPT:
        deregister(tx, target, now=now)
        return None
    kept = _finished(tx, replace(target, orphaned_at=since), None, now=now)
    if kept != target:
        save_target(tx, kept)
    return Found(kept, (), None, False, since + ORPHAN_KEPT)


def _finished(tx: Transaction, target: ScalableTarget, endpoint: Endpoint | None, *, now: datetime) -> ScalableTarget:
    """Write down how the change that is under way has ended, if it has."""
    progress = target.progress
    if progress is None:
        return target
    activity = ended(progress, endpoint, target.key.variant, now=now)
    if activity is None:
        return target
    with contextlib.suppress(KeyError):  # its story has expired before its end
        amend_activity(tx, progress.entry_id, activity)
    has_failed = activity.status is ActivityStatus.FAILED
    memory = replace(target.memory, failed_at=now if has_failed else None)
    return replace(target, progress=None, memory=memory)


def _updated(target: ScalableTarget, endpoint: Endpoint) -> ScalableTarget:
    """See to it that what an update has left outside the bounds is moved inside."""
    if endpoint.serving is None or endpoint.serving.generation == target.generation:
        return target
    return replace(target, generation=endpoint.serving.generation, is_to_adjust=True)


def _scaled(
    tx: Transaction,
    target: ScalableTarget,
    endpoint: Endpoint,
    call: Call | None,
    *,
    instances_max: int,
    now: datetime,
) -> tuple[ScalableTarget, Endpoint | None]:
    """The target and, if its capacity is to change, the endpoint as they are to be saved."""
    current = capacity_of(endpoint, target.key.variant)
    if current is None or target.progress is not None or is_backing_off(target.memory, now=now):
        return target, None
    if target.is_to_adjust:
        inside = target.bounds.limited(instances_max).clamp(current)
        if inside == current:
            return replace(target, is_to_adjust=False), None
        wanted = Wanted(inside, by_bounds(current, inside))
    elif call is None or call.at_capacity != current:
        return target, None
    elif call.verdict.capacity is None:
        return _explained(tx, target, call, call.verdict.not_scaled, now=now), None
    else:
        wanted = Wanted(call.verdict.capacity, call.cause, call.verdict.why, call.verdict.base)
    changed = resized(endpoint, target.key.variant, wanted.capacity, now=now)
    if changed is None:
        return (target if call is None else _explained(tx, target, call, BUSY, now=now)), None
    activity = begun(wanted, activity_id=new_uuid(), now=now)
    entry_id = write_activity(tx, target.key, activity)
    after = remembered(target, wanted, current=current, now=now)
    return replace(after, progress=Progress(entry_id, activity, wanted.capacity)), changed


def _explained(
    tx: Transaction, target: ScalableTarget, call: Call, reason: NotScaled | None, *, now: datetime
) -> ScalableTarget:
    """Write down why nothing is done, unless that has been written already."""
    if reason is None or reason_key(reason, call.verdict.policy) == target.not_scaled:
        return target
    activity = not_scaled(call.cause, reason, details=call.verdict.why, activity_id=new_uuid(), now=now)
    write_activity(tx, target.key, activity)
    return replace(target, not_scaled=reason_key(reason, call.verdict.policy))


def _next_look(tx: Transaction, target: ScalableTarget, *, now: datetime) -> datetime | None:
    """When there is something to do that nobody will call for."""
    times = [next_due(tx, target.key)]
    if target.memory.failed_at is not None and is_backing_off(target.memory, now=now):
        times.append(target.memory.failed_at + RETRY_AFTER)
    return min((time for time in times if time is not None), default=None)
