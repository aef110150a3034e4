"""DescribeAlarmHistory: what happened to alarms, also to deleted ones, within the last thirty days."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from moorage.api.cloudwatch.alarm_errors import refused, wrong_token
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.api.tokens import WrongToken
from moorage.aws.types.cloudwatch import AlarmHistoryItem, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput
from moorage.core.alarms.history import HistoryItem
from moorage.store.alarms import JOURNAL_KIND
from moorage.store.base import JournalEntry, Transaction

PAGE_MAX: Final = 100
_ROWS_AT_ONCE: Final = 500
_TYPES_DEFAULT: Final = ("MetricAlarm",)
_BINDING: Final = ("AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "ScanBy")


class AlarmHistory(Part):
    """The operation that tells what happened."""

    @operation("DescribeAlarmHistory")
    async def describe_alarm_history(
        self, caller: Caller, request: DescribeAlarmHistoryInput
    ) -> DescribeAlarmHistoryOutput:
        """The latest first, unless ScanBy says other; of metric alarms only, unless AlarmTypes does."""
        if "AlarmContributorId" in request:
            raise refused("AlarmContributorId")
        bound = ["DescribeAlarmHistory", caller.region, *(_bound(request.get(member)) for member in _BINDING)]
        after = self._history_after(bound, request.get("NextToken"))
        limit = request.get("MaxRecords", PAGE_MAX)
        found = await self._store.read(lambda tx: _entries(tx, caller.region, request, after=after, limit=limit + 1))
        output: DescribeAlarmHistoryOutput = {"AlarmHistoryItems": [_described(entry) for entry in found[:limit]]}
        if len(found) > limit:
            last = found[limit - 1]
            output["NextToken"] = self._tokens.seal(bound, [last.at.isoformat(), last.id])
        return output

    def _history_after(self, bound: Any, token: str | None) -> tuple[datetime, int] | None:
        if token is None:
            return None
        try:
            at, id_ = self._tokens.open(bound, token)
        except WrongToken:
            raise wrong_token() from None
        return datetime.fromisoformat(at), id_


def _bound(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _entries(
    tx: Transaction,
    region: str,
    request: DescribeAlarmHistoryInput,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[JournalEntry]:
    found: list[JournalEntry] = []
    last = None if after is None else JournalEntry(JOURNAL_KIND, region, "", after[0], {}, after[1])
    while len(found) < limit:
        rows = tx.journal.list(
            JOURNAL_KIND,
            region,
            subject=request.get("AlarmName"),
            since=request.get("StartDate"),
            until=request.get("EndDate"),
            limit=_ROWS_AT_ONCE,
            newest_first=request.get("ScanBy") != "TimestampAscending",
            after=last,
        )
        found.extend(row for row in rows if _is_wanted(row, request))
        if len(rows) < _ROWS_AT_ONCE:
            break
        last = rows[-1]
    return found[:limit]


def _is_wanted(entry: JournalEntry, request: DescribeAlarmHistoryInput) -> bool:
    item = msgspec.convert(entry.body, HistoryItem)
    return (
        item.alarm_type in request.get("AlarmTypes", _TYPES_DEFAULT)
        and request.get("HistoryItemType", item.item_type) == item.item_type
    )


def _described(entry: JournalEntry) -> AlarmHistoryItem:
    item = msgspec.convert(entry.body, HistoryItem)
    return {
        "AlarmName": entry.subject,
        "AlarmType": item.alarm_type,
        "Timestamp": entry.at,
        "HistoryItemType": item.item_type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }
