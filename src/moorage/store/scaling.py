"""Scalable targets, their policies and scheduled actions in the store, as documents; their activities, in the journal.

All of it within the caller's transaction. A document's name begins with its target's, so that a target's are found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from moorage.core.alarms.model import AlarmKey
from moorage.core.scaling.activity import Activity
from moorage.core.scaling.changes import left
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy, ScheduledAction, TargetKey
from moorage.store.alarms import delete_alarm
from moorage.store.base import Document, Documents, JournalEntry, ListQuery, Transaction

JOURNAL_KIND: Final = "scaling-activity"
KEPT: Final = timedelta(weeks=6)
"""As long as the service keeps activities."""
_PAGE: Final = 500

T = TypeVar("T")


def find_target(tx: Transaction, key: TargetKey) -> ScalableTarget | None:
    """The target, if the variant is registered."""
    document = tx.scalable_targets.get(key.region, key.name)
    return None if document is None else _target(document)


def list_targets(tx: Transaction, region: str) -> Iterator[ScalableTarget]:
    """The targets of a region, by resource."""
    return map(_target, _documents(tx.scalable_targets, region))


def save_target(tx: Transaction, target: ScalableTarget) -> None:
    """Put the target in the place of what there was of it."""
    _save(
        tx.scalable_targets,
        Document(
            target.key.region,
            target.key.name,
            target.arn,
            target.created_at,
            target.created_at,
            msgspec.to_builtins(target),
        ),
    )


def deregister(tx: Transaction, target: ScalableTarget, *, now: datetime) -> None:
    """Remove the target with its tags, its policies and their alarms, and its scheduled actions; activities stay.

    One that is under way is over with it, as nobody would tell its end.
    """
    if target.progress is not None:
        with contextlib.suppress(KeyError):  # its story has expired before its end
            amend_activity(tx, target.progress.entry_id, left(target.progress, now=now))
    for policy in list_policies(tx, target.key.region, target.key):
        delete_policy(tx, policy, now=now)
    for action in list_actions(tx, target.key.region, target.key):
        delete_action(tx, action)
    tx.tags.clear(target.arn)
    tx.scalable_targets.delete(target.key.region, target.key.name)


def find_policy(tx: Transaction, key: TargetKey, name: str) -> ScalingPolicy | None:
    """The target's policy of that name."""
    document = tx.scaling_policies.get(key.region, _name_of(key, name))
    return None if document is None else _policy(document)


def list_policies(tx: Transaction, region: str, key: TargetKey | None = None) -> list[ScalingPolicy]:
    """The policies of a region, or of one target, by target and name."""
    found = map(_policy, _documents(tx.scaling_policies, region, key))
    return [policy for policy in found if key is None or policy.target == key]


def save_policy(tx: Transaction, policy: ScalingPolicy) -> None:
    """Put the policy in the place of what there was of it."""
    region, name = policy.target.region, _name_of(policy.target, policy.name)
    at, body = policy.created_at, msgspec.to_builtins(policy)
    _save(tx.scaling_policies, Document(region, name, policy.arn, at, at, body))


def delete_policy(tx: Transaction, policy: ScalingPolicy, *, now: datetime) -> None:
    """Remove the policy, and the alarms that it owns."""
    for alarm in policy.alarms:
        delete_alarm(tx, AlarmKey(policy.target.region, alarm.name), now=now)
    tx.scaling_policies.delete(policy.target.region, _name_of(policy.target, policy.name))


def find_action(tx: Transaction, key: TargetKey, name: str) -> ScheduledAction | None:
    """The target's scheduled action of that name."""
    document = tx.scheduled_actions.get(key.region, _name_of(key, name))
    return None if document is None else _action(document)


def list_actions(tx: Transaction, region: str, key: TargetKey | None = None) -> list[ScheduledAction]:
    """The scheduled actions of a region, or of one target, by target and name."""
    found = map(_action, _documents(tx.scheduled_actions, region, key))
    return [action for action in found if key is None or action.target == key]


def save_action(tx: Transaction, action: ScheduledAction) -> None:
    """Put the scheduled action in the place of what there was of it."""
    region, name = action.target.region, _name_of(action.target, action.name)
    at, body = action.created_at, msgspec.to_builtins(action)
    _save(tx.scheduled_actions, Document(region, name, action.arn, at, at, body))


def delete_action(tx: Transaction, action: ScheduledAction) -> None:
    """Remove the scheduled action."""
    tx.scheduled_actions.delete(action.target.region, _name_of(action.target, action.name))


def write_activity(tx: Transaction, key: TargetKey, activity: Activity) -> int:
    """Write an activity down; answers the id by which it can be amended."""
    tx.journal.expire(JOURNAL_KIND, before=activity.started_at - KEPT)
    entry = JournalEntry(JOURNAL_KIND, key.region, key.name, activity.started_at, msgspec.to_builtins(activity))
    return tx.journal.add(entry).id


def amend_activity(tx: Transaction, id_: int, activity: Activity) -> None:
    """Write down how an activity has gone on. Raises KeyError if it has expired."""
    tx.journal.amend(id_, msgspec.to_builtins(activity))


def activity_of(entry: JournalEntry) -> Activity:
    """The activity that an entry tells of."""
    return msgspec.convert(entry.body, Activity)


def _target(document: Document) -> ScalableTarget:
    return msgspec.convert(document.body, ScalableTarget)


def _policy(document: Document) -> ScalingPolicy:
    return msgspec.convert(document.body, ScalingPolicy)


def _action(document: Document) -> ScheduledAction:
    return msgspec.convert(document.body, ScheduledAction)


def _name_of(key: TargetKey, name: str) -> str:
    return f"{key.name}|{name}"


def _save(documents: Documents, document: Document) -> None:
    if documents.get(document.region, document.name) is None:
        documents.insert(document)
    else:
        documents.replace(document)


def _documents(documents: Documents, region: str, key: TargetKey | None = None) -> Iterator[Document]:
    contained = None if key is None else f"{key.name}|"
    query: ListQuery | None = ListQuery(region, _PAGE, sort_by="Name", ascending=True, name_contains=contained)
    while query is not None:
        page = documents.list(query)
        yield from page.rows
        query = page.next_after and replace(query, after=page.next_after)
