"""CloudWatch Logs, put together from its parts.

An endpoint is a log group, an instance a log stream; anybody may make groups and streams of their own beside them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from moorage.api.logs.events import LogEvents
from moorage.api.logs.groups import LogGroups
from moorage.api.logs.live_tail import LiveTail
from moorage.api.logs.metric_filters import MetricFilters
from moorage.api.logs.part import Needs
from moorage.api.logs.put_events import PutLogEvents
from moorage.api.logs.streams import LogStreams
from moorage.api.logs.tags import LogTags
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.telemetry.log_places import LogPlaces
from moorage.telemetry.log_writer import PutTimes


class Logs(LogGroups, LogStreams, LogEvents, PutLogEvents, LogTags, LiveTail, MetricFilters):
    """CloudWatch Logs over the log folder and the store.

    Sessions of Live Tail end when `ending` is set. `filters_changed` returns once metric filters measure as stored.
    """

    def __init__(
        self,
        places: LogPlaces,
        store: Store,
        *,
        clock: Clock,
        account_id: str,
        ending: asyncio.Event,
        filters_changed: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            Needs(
                places=places,
                store=store,
                clock=clock,
                account_id=account_id,
                ending=ending,
                filters_changed=filters_changed,
                put_times=PutTimes(clock),
            )
        )
