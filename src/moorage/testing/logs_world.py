"""CloudWatch Logs over a folder and a store in memory, with instances that print and a clock that is set by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from moorage.api.logs import Logs
from moorage.api.service import Caller
from moorage.control.log_metrics import LogMetrics
from moorage.system.clock import SystemClock
from moorage.telemetry.log_places import LogPlaces
from moorage.testing.memory_store import MemoryStore

GROUP: Final = "/aws/sagemaker/Endpoints/iris"
ARN: Final = "arn:aws:logs:us-east-1:123456789012:log-group:"
START: Final = datetime(2026, 11, 21, 2, 55, tzinfo=UTC)
START_MS: Final = int(START.timestamp() * 1000)


@dataclass(slots=True)
class SetClock(SystemClock):
    """Tells the time it was set to, so that nothing takes any: a search that took long would end before its end."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class NoWaiting(SetClock):
    """Whoever waits goes on at once."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)  # noqa: TID251 - no waiting: whoever else is ready has a turn


class LogsWorld:
    """The service, and the folder `root` that it reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock: SetClock = SetClock()
        self.store = MemoryStore()
        self.places = LogPlaces(root)
        self.ending = asyncio.Event()
        self.metrics: LogMetrics | None = None
        self.service = Logs(
            self.places,
            self.store,
            clock=self.clock,
            account_id="123456789012",
            ending=self.ending,
            filters_changed=self._filters_changed,
        )

    def write(self, stream: str, *lines: tuple[int, str], endpoint: str = "iris", region: str = "us-east-1") -> Path:
        """What an instance prints: milliseconds after `START`, and the text."""
        path = self.root / region / endpoint / f"{stream}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for ms, text in lines:
                at = (START + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
                file.write(f"{at.replace('+00:00', 'Z')} {text}\n")
        return path

    async def _filters_changed(self) -> None:
        if self.metrics is not None:
            await self.metrics.filters_changed()

    async def call(self, operation: str, *, region: str = "us-east-1", **request: Any) -> Any:
        """What a handler answers."""
        caller = Caller("123456789012", "arn", "id", "AKIA", region, "request")
        return await self.service.handlers()[operation](caller, request)

    async def get(self, stream: str = "A/i-1", *, group: str = GROUP, **request: Any) -> tuple[list[str], str, str]:
        """A page of a stream, and the tokens for what is before it and behind it."""
        page = await self.call("GetLogEvents", logGroupName=group, logStreamName=stream, **request)
        return [event["message"] for event in page["events"]], page["nextBackwardToken"], page["nextForwardToken"]

    async def find(self, *, group: str = GROUP, **request: Any) -> tuple[list[str], str | None]:
        """A page of a search, and the token for what is behind it."""
        page = await self.call("FilterLogEvents", logGroupName=group, **request)
        return [event["message"] for event in page["events"]], page.get("nextToken")

    async def find_all(self, **request: Any) -> list[str]:
        """All pages of a search."""
        found, token = await self.find(**request)
        while token is not None:
            page, token = await self.find(**request, nextToken=token)
            found += page
        return found
