"""Alarms in the store, as documents, and their history, in the journal. All of it within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec

from moorage.core.alarms.history import HistoryItem, configuration_update
from moorage.core.alarms.model import Alarm, AlarmKey, configured, new_alarm
from moorage.store.base import Document, JournalEntry, ListQuery, StaleVersion, Transaction

JOURNAL_KIND: Final = "alarm"

_PAGE: Final = 200


def find_alarm(tx: Transaction, key: AlarmKey) -> Alarm | None:
    """The alarm of that name."""
    document = tx.alarms.get(key.region, key.name)
    return None if document is None else _decode(document)


def list_alarms(tx: Transaction, region: str) -> Iterator[Alarm]:
    """The alarms of a region, by name."""
    query: ListQuery | None = ListQuery(region, _PAGE, sort_by="Name", ascending=True)
    while query is not None:
        page = tx.alarms.list(query)
        yield from map(_decode, page.rows)
        query = page.next_after and replace(query, after=page.next_after)


def put_alarm(
    tx: Transaction, key: AlarmKey, definition: Mapping[str, Any], *, account_id: str, now: datetime
) -> Alarm:
    """Create the alarm, or give it another definition: the members of PutMetricAlarm or PutCompositeAlarm.

    They are to be valid, and without tags. The state of an alarm that is there already stays.
    """
    found = find_alarm(tx, key)
    if found is None:
        alarm = new_alarm(key, definition, account_id=account_id, now=now)
        tx.alarms.insert(_encode(alarm))
    else:
        alarm = save_alarm(tx, configured(found, definition, now=now))
    write_history(tx, alarm, configuration_update("Update" if found else "Create", alarm), at=now)
    return alarm


def save_alarm(tx: Transaction, alarm: Alarm) -> Alarm:
    """Save a change of an alarm. Raises StaleVersion if it changed since it was loaded, or is gone."""
    stored = find_alarm(tx, alarm.key)
    if stored is None or (stored.revision, stored.created_at) != (alarm.revision, alarm.created_at):
        raise StaleVersion(alarm.key.name)
    saved = replace(alarm, revision=alarm.revision + 1)
    tx.alarms.replace(_encode(saved))
    return saved


def delete_alarm(tx: Transaction, key: AlarmKey, *, now: datetime) -> bool:
    """Remove the alarm and its tags; its history stays. Answers whether there was one."""
    alarm = find_alarm(tx, key)
    if alarm is None:
        return False
    tx.alarms.delete(key.region, key.name)
    tx.tags.clear(alarm.arn)
    write_history(tx, alarm, configuration_update("Delete", alarm), at=now)
    return True


def write_history(tx: Transaction, alarm: Alarm, item: HistoryItem, *, at: datetime) -> None:
    """Add to what DescribeAlarmHistory answers."""
    tx.journal.add(JournalEntry(JOURNAL_KIND, alarm.key.region, alarm.key.name, at, msgspec.to_builtins(item)))


def _encode(alarm: Alarm) -> Document:
    return Document(
        alarm.key.region, alarm.key.name, alarm.arn, alarm.created_at, alarm.configured_at, msgspec.to_builtins(alarm)
    )


def _decode(document: Document) -> Alarm:
    return msgspec.convert(document.body, Alarm)
