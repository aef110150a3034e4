"""Composite alarms: they go by the states of others, and keep their actions to themselves while one says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from moorage.control.alarms.saving import save_changes, save_verdicts
from moorage.core.alarms.composite import children_of, evaluate_composite
from moorage.core.alarms.model import Alarm, AlarmKey
from moorage.core.alarms.suppression import suppress
from moorage.store.base import Store

_Named = Mapping[str, Alarm]
_Seen = tuple[datetime, tuple[datetime | None, ...]]


class Composites:
    """Remembers of each when it was put and its children changed: until there is news, a state that was set stays."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[AlarmKey, _Seen] = {}

    async def settle(self, alarms: Sequence[Alarm], *, now: datetime) -> Sequence[Alarm]:
        """Evaluate them until none changes any more, since they may go by one another."""
        composites = [alarm.key for alarm in alarms if alarm.is_composite]
        self._seen = {key: self._seen[key] for key in composites if key in self._seen}
        for _ in range(len(composites) + 1):
            named = _by_region(alarms)
            news = {
                alarm.key: seen
                for alarm in alarms
                if alarm.is_composite and (seen := _seen(alarm, named[alarm.key.region])) != self._seen.get(alarm.key)
            }
            verdicts = {
                alarm.key: evaluate_composite(alarm, named[alarm.key.region]) for alarm in alarms if alarm.key in news
            }
            changing = {key: verdict for key, verdict in verdicts.items() if verdict is not None}
            alarms = await save_verdicts(self._store, alarms, changing, now=now)
            self._seen |= news
            if not changing:
                break
        return alarms

    async def suppress(self, alarms: Sequence[Alarm], *, now: datetime) -> Sequence[Alarm]:
        """Hold the actions that are to be held."""
        named = _by_region(alarms)
        after = [suppress(alarm, named[alarm.key.region], now=now) if alarm.is_composite else alarm for alarm in alarms]
        return await save_changes(self._store, alarms, after)


def _seen(alarm: Alarm, alarms: _Named) -> _Seen:
    children = children_of(alarm.definition)
    return alarm.configured_at, tuple(_changed_at(alarms.get(name)) for name in children)


def _changed_at(alarm: Alarm | None) -> datetime | None:
    return None if alarm is None else alarm.state.transitioned_at


def _by_region(alarms: Iterable[Alarm]) -> Mapping[str, _Named]:
    found: dict[str, dict[str, Alarm]] = {}
    for alarm in alarms:
        found.setdefault(alarm.key.region, {})[alarm.key.name] = alarm
    return found
