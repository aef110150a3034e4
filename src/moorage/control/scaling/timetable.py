"""Scheduled actions: what is due of a target's, and when the next is."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from moorage.core.scaling.activity import Activity, ActivityStatus
from moorage.core.scaling.model import Bounds, ScalableTarget, ScheduledAction, TargetKey
from moorage.core.scaling.schedule import WrongSchedule, next_time
from moorage.core.scaling.texts import by_schedule, setting_bounds
from moorage.store.base import Transaction
from moorage.store.scaling import delete_action, list_actions, save_action, write_activity
from moorage.system.entropy import new_uuid

_log = logging.getLogger(__name__)


def carry_out_schedule(tx: Transaction, target: ScalableTarget, *, now: datetime) -> ScalableTarget:
    """The target with the bounds of the actions whose time has come; those are seen to, and the last times deleted."""
    for action in list_actions(tx, target.key.region, target.key):
        target = _carried_out(tx, target, action, now=now)
    return target


def next_due(tx: Transaction, key: TargetKey) -> datetime | None:
    """When the next action of a target is due, if any is."""
    times = (_due(action) for action in list_actions(tx, key.region, key))
    return min((time for time in times if time is not None), default=None)


def _carried_out(tx: Transaction, target: ScalableTarget, action: ScheduledAction, *, now: datetime) -> ScalableTarget:
    """Set the bounds that a scheduled action has, if its time has come; of times that were missed, once."""
    due = _due(action)
    if due is None or due > now:
        return target
    done = replace(action, done_until=now)
    if next_time(done, now) is None:
        delete_action(tx, action)
    else:
        save_action(tx, done)
    if target.suspension.scheduled:
        return target
    bounds = _bounds_of(action, target.bounds)
    write_activity(tx, target.key, _bounds_activity(bounds, by_schedule(action.name), now))
    return replace(target, bounds=bounds, is_to_adjust=True)


def _bounds_of(action: ScheduledAction, present: Bounds) -> Bounds:
    """The action's bounds; one that is not given stays, unless the other one is beyond it."""
    minimum = present.minimum if action.minimum is None else action.minimum
    maximum = present.maximum if action.maximum is None else action.maximum
    if action.minimum is None:
        return Bounds(min(minimum, maximum), maximum)
    return Bounds(minimum, max(minimum, maximum))


def _bounds_activity(bounds: Bounds, cause: str, now: datetime) -> Activity:
    return Activity(
        id=new_uuid(),
        description=setting_bounds(bounds),
        cause=cause,
        status=ActivityStatus.SUCCESSFUL,
        status_message=setting_bounds(bounds, is_done=True),
        started_at=now,
        ended_at=now,
    )


def _due(action: ScheduledAction) -> datetime | None:
    try:
        return next_time(action, action.done_until or action.created_at)
    except WrongSchedule as error:  # it was right when it was put: this machine has other time zones
        _log.warning("the scheduled action %s of %s is never due: %s", action.name, action.target.resource_id, error)
        return None
