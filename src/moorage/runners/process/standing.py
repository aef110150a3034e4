"""How an instance stands: its record, kept in its folder, told to whoever wants to know, and logged when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.model import InstanceState, Observation
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.instance_log import append_line
from moorage.runners.process.procfs import boot_id
from moorage.system.clock import Clock

REASON_CHARACTERS_MAX: Final = 1024
_ENDED: Final = frozenset({InstanceState.FAILED, InstanceState.EXITED, InstanceState.LOST})
_SERVING: Final = frozenset({InstanceState.READY, InstanceState.UNHEALTHY})

_log = logging.getLogger(__name__)


class Standing:
    """The record of an instance whose log is at `log`. `on_change` is called after every change of its state."""

    def __init__(
        self, folder: InstanceFolder, record: Record, *, log: Path, clock: Clock, on_change: Callable[[], None]
    ) -> None:
        self.record = record
        self._folder = folder
        self._log = log
        self._clock = clock
        self._on_change = on_change

    @property
    def state(self) -> InstanceState:
        return self.record.state

    @property
    def has_ended(self) -> bool:
        return self.record.state in _ENDED

    def observe(self, address: Path) -> Observation:
        """As control sees it; `address` is where the instance serves while it does."""
        spec, record = self.record.spec, self.record
        return Observation(
            id=spec.id,
            uid=spec.uid,
            endpoint=spec.endpoint,
            state=record.state,
            address=str(address) if record.state in _SERVING else None,
            reason=record.reason,
            since=record.since,
        )

    def note_fork(self, *, diagnostics: Iterable[str], equipment: Iterable[Path]) -> None:
        """The processes are about to be forked: the time to start up runs from now."""
        self._write(
            msgspec.structs.replace(
                self.record,
                forked_at=self._clock.now(),
                boot_id=boot_id(),
                diagnostics=tuple(diagnostics),
                equipment=tuple({str(folder) for folder in equipment}),
            )
        )

    def change(self, state: InstanceState, reason: str | None = None) -> None:
        """It is in another state now."""
        reason = reason[:REASON_CHARACTERS_MAX] if reason else None
        self._write(msgspec.structs.replace(self.record, state=state, reason=reason, since=self._clock.now()))
        self._on_change()

    def end(self, state: InstanceState, reason: str) -> None:
        """It has ended, for a reason that nobody has logged yet."""
        self.log(reason, self._log)
        self.change(state, reason)

    def log(self, text: str, path: Path) -> None:
        """Write a platform line to the log at `path`."""
        try:
            append_line(path, text, now=self._clock.now())
        except OSError as error:
            _log.warning("%s: its log cannot be written: %s", self.record.spec.id, error)

    def _write(self, record: Record) -> None:
        self.record = record
        try:
            self._folder.write(record)
        except OSError as error:  # the next agent will find out by /ping what this one could not write down
            _log.warning("%s: its record cannot be written: %s", record.spec.id, error)
