"""DescribeScalingActivities: what was done, and on request what was not, in the last six weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from moorage.api.application_autoscaling.part import Part, bound_to, check_filter, is_meant, page_size
from moorage.api.service import Caller, operation
from moorage.aws.types import application_autoscaling as aws
from moorage.core.scaling.activity import Activity, NotScaled
from moorage.core.scaling.model import Dimension, TargetKey, WrongResource, target_key
from moorage.store.base import JournalEntry, Transaction
from moorage.store.scaling import JOURNAL_KIND, KEPT, activity_of

_READ_AT_ONCE: Final = 200


class Activities(Part):
    """The operation on scaling activities."""

    @operation("DescribeScalingActivities")
    async def describe_scaling_activities(
        self, caller: Caller, request: aws.DescribeScalingActivitiesRequest
    ) -> aws.DescribeScalingActivitiesResponse:
        """A page of activities, the newest first."""
        check_filter(request)
        limit, bound = page_size(request), bound_to("DescribeScalingActivities", caller, request)
        position = self._position(bound, request.get("NextToken"))
        after = None if position is None else _place(caller.region, datetime.fromisoformat(position[0]), position[1])
        since = self._clock.now() - KEPT

        def read(tx: Transaction) -> list[JournalEntry]:
            found = _entries(tx, caller.region, request, since=since, after=after)
            return [entry for _, entry in zip(range(limit + 1), found, strict=False)]

        entries = await self._store.read(read)
        answer: aws.DescribeScalingActivitiesResponse = {
            "ScalingActivities": [_described(_key(entry), activity_of(entry)) for entry in entries[:limit]]
        }
        if len(entries) > limit:
            last = entries[limit - 1]
            answer["NextToken"] = self._needs.tokens.seal(bound, [last.at.isoformat(), last.id])
        return answer


def _entries(
    tx: Transaction,
    region: str,
    request: aws.DescribeScalingActivitiesRequest,
    *,
    since: datetime,
    after: JournalEntry | None,
) -> Iterator[JournalEntry]:
    """All that are asked for, read as far as they are wanted."""
    subject = _subject(region, request)
    while True:
        entries = tx.journal.list(JOURNAL_KIND, region, subject=subject, since=since, limit=_READ_AT_ONCE, after=after)
        yield from (entry for entry in entries if _is_asked_for(entry, request))
        if len(entries) < _READ_AT_ONCE:
            return
        after = entries[-1]


def _is_asked_for(entry: JournalEntry, request: aws.DescribeScalingActivitiesRequest) -> bool:
    if not is_meant(_key(entry), request):
        return False
    return bool(request.get("IncludeNotScaledActivities")) or not entry.body.get("not_scaled")


def _subject(region: str, request: aws.DescribeScalingActivitiesRequest) -> str | None:
    """What entries are found by, if the request names a resource."""
    if "ResourceId" not in request:
        return None
    try:
        return target_key(region, request["ResourceId"]).name
    except WrongResource:
        return request["ResourceId"]


def _key(entry: JournalEntry) -> TargetKey:
    resource, _, dimension = entry.subject.partition("|")
    return target_key(entry.region, resource, Dimension(dimension))


def _place(region: str, at: datetime, id_: int) -> JournalEntry:
    return JournalEntry(JOURNAL_KIND, region, "", at, {}, id_)


def _described(key: TargetKey, activity: Activity) -> aws.ScalingActivity:
    described: aws.ScalingActivity = {
        "ActivityId": activity.id,
        "ServiceNamespace": "sagemaker",
        "ResourceId": key.resource_id,
        "ScalableDimension": key.dimension.value,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.started_at,
        "StatusCode": activity.status.value,
        "StatusMessage": activity.status_message,
    }
    if activity.ended_at is not None:
        described["EndTime"] = activity.ended_at
    if activity.details is not None:
        described["Details"] = activity.details
    if activity.not_scaled:
        described["NotScaledReasons"] = [_reason(reason) for reason in activity.not_scaled]
    return described


def _reason(reason: NotScaled) -> aws.NotScaledReason:
    capacities: dict[str, Any] = {
        "MaxCapacity": reason.maximum,
        "MinCapacity": reason.minimum,
        "CurrentCapacity": reason.current,
    }
    said: aws.NotScaledReason = {"Code": reason.code.value}
    for member, capacity in capacities.items():
        if capacity is not None:
            said[member] = capacity  # type: ignore[literal-required]
    return said
