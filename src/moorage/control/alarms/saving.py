"""Saving what was decided on alarms, many in one transaction. What somebody else has changed is left as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from moorage.core.alarms.evaluate import Verdict
from moorage.core.alarms.history import state_update
from moorage.core.alarms.model import Alarm, AlarmKey, changed
from moorage.store.alarms import save_alarm, write_history
from moorage.store.base import StaleVersion, Store, Transaction


async def save_verdicts(
    store: Store, alarms: Sequence[Alarm], verdicts: Mapping[AlarmKey, Verdict], *, now: datetime
) -> Sequence[Alarm]:
    """Change the state of some of the alarms, with their history; answers all of them as they are then."""
    if not verdicts:
        return alarms

    def save(tx: Transaction) -> list[Alarm]:
        return [_save_verdict(tx, alarm, verdicts.get(alarm.key), now) for alarm in alarms]

    return await store.run(save)


async def save_changes(store: Store, alarms: Sequence[Alarm], after: Sequence[Alarm]) -> Sequence[Alarm]:
    """Save those of `after` that are not the alarm in the same place any more; answers all as they are then."""
    if all(new is old for new, old in zip(after, alarms, strict=True)):
        return alarms

    def save(tx: Transaction) -> list[Alarm]:
        return [
            old if new is old else _save_if_fresh(tx, new, before=old) for new, old in zip(after, alarms, strict=True)
        ]

    return await store.run(save)


def _save_verdict(tx: Transaction, alarm: Alarm, verdict: Verdict | None, now: datetime) -> Alarm:
    if verdict is None:
        return alarm
    after = changed(alarm, verdict.value, reason=verdict.reason, reason_data=verdict.reason_data, now=now)
    saved = _save_if_fresh(tx, after, before=alarm)
    if saved is not alarm:
        write_history(tx, saved, state_update(saved, alarm.state), at=now)
    return saved


def _save_if_fresh(tx: Transaction, after: Alarm, *, before: Alarm) -> Alarm:
    try:
        return save_alarm(tx, after)
    except StaleVersion:
        return before
