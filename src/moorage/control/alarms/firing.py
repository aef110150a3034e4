"""Taking the actions that changes of alarms asked for: saved with the change, taken afterwards, then struck off.

An action that was taken when the process died is taken again. One that cannot be taken for an hour is given up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from moorage.control.alarms.actions import SCALING_PREFIX, ActionFailed, Actions, AlarmChange
from moorage.core.alarms.history import action_taken
from moorage.core.alarms.model import Alarm, AlarmKey, DueAction
from moorage.store.alarms import find_alarm, save_alarm, write_history
from moorage.store.base import Store, Transaction
from moorage.system.clock import Clock
from moorage.system.tasks import all_of

PATIENCE: Final = timedelta(hours=1)
REPEAT_S: Final = 60
_ACTION_S: Final = 30
_AT_ONCE: Final = 32

_log = logging.getLogger(__name__)


class Firing:
    """Takes actions, of one alarm one after another. Whatever holds up one of them holds up none that is another's."""

    def __init__(self, store: Store, actions: Actions, clock: Clock) -> None:
        self._store = store
        self._actions = actions
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._last_told: dict[AlarmKey, tuple[datetime, int]] = {}

    async def take_due(self, alarms: Iterable[Alarm]) -> bool:
        """Take what is due. Answers whether some of it is still due, since it could not be taken."""
        left = await all_of(self._take_all(alarm) for alarm in alarms if alarm.due)
        return any(left)

    async def repeat(self, alarms: Sequence[Alarm], *, now: datetime) -> None:
        """Tell scaling policies once a minute that a state lasts."""
        minute = int(now.timestamp()) // REPEAT_S
        told = {}
        lasting = []
        for alarm in alarms:
            told[alarm.key] = (alarm.state.transitioned_at, minute)
            last = self._last_told.get(alarm.key)
            if last is not None and last[0] == alarm.state.transitioned_at and last[1] != minute:
                lasting.append(alarm)
        self._last_told = told
        await all_of(self._repeat(alarm, now) for alarm in lasting)

    async def _take_all(self, alarm: Alarm) -> bool:
        """Whether some of it is left: each action is told of the changes in order, so after one the rest are, too."""
        left: set[str] = set()
        for action in alarm.due:
            if action.arn in left:
                continue
            async with self._slots:
                if not await self._take(alarm, action):
                    left.add(action.arn)
        return bool(left)

    async def _take(self, alarm: Alarm, action: DueAction) -> bool:
        """Whether the action is over with."""
        now = self._clock.now()
        error: str | None = None
        try:
            async with asyncio.timeout(_ACTION_S):
                await self._actions.take(action.arn, AlarmChange(alarm, action.old, action.new, now))
        except ActionFailed as failure:
            error = str(failure)
        except Exception as failure:
            if now - action.new.updated_at < PATIENCE:
                _log.warning("%s of the alarm %s is tried again: %r", action.arn, alarm.key.name, failure)
                return False
            error = f"given up after an hour: {failure!r}"
        if error:
            _log.warning("%s of the alarm %s failed: %s", action.arn, alarm.key.name, error)
        await self._store.run(lambda tx: _strike_off(tx, alarm, action, error=error, now=now))
        return True

    async def _repeat(self, alarm: Alarm, now: datetime) -> None:
        change = AlarmChange(alarm, alarm.state, alarm.state, now)
        for arn in alarm.actions(alarm.state.value):
            if not arn.startswith(SCALING_PREFIX):
                continue
            try:
                async with self._slots, asyncio.timeout(_ACTION_S):
                    await self._actions.take(arn, change)
            except Exception as failure:
                _log.warning("%s of the alarm %s could not be repeated: %r", arn, alarm.key.name, failure)


def is_repeated(alarm: Alarm) -> bool:
    """Whether the alarm's state has actions that are taken again while it lasts."""
    actions = alarm.actions(alarm.state.value)
    return alarm.actions_enabled and any(arn.startswith(SCALING_PREFIX) for arn in actions)


def _strike_off(tx: Transaction, alarm: Alarm, action: DueAction, *, error: str | None, now: datetime) -> None:
    stored = find_alarm(tx, alarm.key)
    if stored is None or action not in stored.due:
        return
    rest = list(stored.due)
    rest.remove(action)
    save_alarm(tx, replace(stored, due=tuple(rest)))
    write_history(tx, stored, action_taken(stored, action.arn, new=action.new, error=error), at=now)
