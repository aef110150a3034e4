"""Log groups: CreateLogGroup, DeleteLogGroup, DescribeLogGroups and their retention."""

from __future__ import annotations

import asyncio
import operator
from typing import Any, Final

from moorage.api.logs.errors import group_exists, invalid, refuse_unsupported
from moorage.api.logs.listing import LIMIT_DEFAULT, page_behind
from moorage.api.logs.part import Part
from moorage.api.logs.tag_rules import check_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import (
    CreateLogGroupRequest,
    DeleteLogGroupRequest,
    DeleteRetentionPolicyRequest,
    DescribeLogGroupsRequest,
    DescribeLogGroupsResponse,
    LogGroup,
    PutRetentionPolicyRequest,
)
from moorage.store.base import AlreadyExists, Document, Transaction
from moorage.store.log_groups import groups_of
from moorage.telemetry import log_trim
from moorage.telemetry.logs import NoSuchStream, look

RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_STANDARD: Final = "STANDARD"
_RESERVED: Final = "aws/"


class LogGroups(Part):
    """The operations on log groups."""

    @operation("CreateLogGroup")
    async def create_log_group(self, caller: Caller, request: CreateLogGroupRequest) -> None:
        """Make a group without streams."""
        refuse_unsupported(request, "kmsKeyId", "deletionProtectionEnabled")
        if request.get("logGroupClass", _STANDARD) != _STANDARD:
            raise invalid(f"Moorage has log groups of the class {_STANDARD} only.")
        name, tags = request["logGroupName"], request.get("tags", {})
        if name.startswith(_RESERVED):
            raise invalid("Log groups starting with AWS/ are reserved for AWS.")
        check_tags(tags)
        if await asyncio.to_thread(self._places.has_printed, caller.region, name):
            raise group_exists()
        document = self._document(caller.region, name, body={}, created_at=self._clock.now())

        def save(tx: Transaction) -> None:
            tx.log_groups.insert(document)
            tx.tags.put(document.arn, tags)

        try:
            await self._store.run(save)
        except AlreadyExists:
            raise group_exists() from None

    @operation("DeleteLogGroup")
    async def delete_log_group(self, caller: Caller, request: DeleteLogGroupRequest) -> None:
        """Remove a group with all its streams. What an instance prints next makes its endpoint's group anew."""
        region, name = caller.region, request["logGroupName"]
        streams = await self._streams(region, name)

        def forget(tx: Transaction) -> None:
            tx.log_groups.delete(region, name)
            tx.tags.clear(self._group_arn(region, name))

        def remove() -> None:
            for stream in streams.values():
                log_trim.delete(stream, self._places)
            self._places.remove_own(region, name)

        await self._store.run(forget)
        await asyncio.to_thread(remove)
        await self._needs.filters_changed()

    @operation("DescribeLogGroups")
    async def describe_log_groups(self, caller: Caller, request: DescribeLogGroupsRequest) -> DescribeLogGroupsResponse:
        """The log groups of the region, by name."""
        refuse_unsupported(request, "includeLinkedAccounts", "accountIdentifiers")
        if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
            raise invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
        documents = await self._store.run(
            lambda tx: {document.name: document for document in groups_of(tx, caller.region)}
        )
        printed = await asyncio.to_thread(self._places.printed_groups, caller.region)
        names = {name: name for name in sorted({*printed, *documents}) if self._is_wanted(caller, name, request)}
        page, token = page_behind(
            list(names.items()),
            request.get("nextToken"),
            is_behind=operator.gt,
            limit=request.get("limit", LIMIT_DEFAULT),
        )
        return {
            "logGroups": [
                await asyncio.to_thread(self._described, caller.region, name, documents.get(name)) for name in page
            ],
            **token,
        }

    @operation("PutRetentionPolicy")
    async def put_retention_policy(self, caller: Caller, request: PutRetentionPolicyRequest) -> None:
        """Say how many days events are kept."""
        days = request["retentionInDays"]
        if days not in RETENTION_DAYS:
            raise invalid(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: {list(RETENTION_DAYS)}"
            )

        def change(body: dict[str, Any]) -> None:
            body["retentionInDays"] = days

        await self._change_group(caller.region, request["logGroupName"], change)

    @operation("DeleteRetentionPolicy")
    async def delete_retention_policy(self, caller: Caller, request: DeleteRetentionPolicyRequest) -> None:
        """Keep events for good, or until they take too much room."""
        await self._change_group(caller.region, request["logGroupName"], lambda body: body.pop("retentionInDays", None))

    def _is_wanted(self, caller: Caller, name: str, request: DescribeLogGroupsRequest) -> bool:
        identifiers = request.get("logGroupIdentifiers")
        if identifiers is not None and name not in {self._group_identified(caller, each) for each in identifiers}:
            return False
        if request.get("logGroupClass", _STANDARD) != _STANDARD:
            return False
        return name.startswith(request.get("logGroupNamePrefix", "")) and request.get("logGroupNamePattern", "") in name

    def _described(self, region: str, name: str, document: Document | None) -> LogGroup:
        arn = self._group_arn(region, name)
        created: list[int] = [] if document is None else [int(document.created_at.timestamp() * 1000)]
        size = 0
        for stream in self._places.streams(region, name).values():
            try:
                facts = look(stream)
            except NoSuchStream:
                continue
            size += facts.size_bytes
            created.append(facts.created_ms)
        body = {} if document is None else document.body
        group: LogGroup = {
            "logGroupName": name,
            "metricFilterCount": len(body.get("metricFilters", {})),
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "logGroupClass": "STANDARD",
            "storedBytes": size,
        }
        if created:
            group["creationTime"] = min(created)
        if "retentionInDays" in body:
            group["retentionInDays"] = body["retentionInDays"]
        return group
