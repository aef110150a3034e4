"""Requests and answers of logs. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, NotRequired, TypedDict

DataProtectionStatus = Literal["ACTIVATED", "DELETED", "ARCHIVED", "DISABLED"]
EntityRejectionErrorType = Literal[
    "InvalidEntity",
    "InvalidTypeValue",
    "InvalidKeyAttributes",
    "InvalidAttributes",
    "EntitySizeTooLarge",
    "UnsupportedLogGroupType",
    "MissingRequiredFields",
]
InheritedProperty = Literal["ACCOUNT_DATA_PROTECTION"]
LogGroupClass = Literal["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]
OrderBy = Literal["LogStreamName", "LastEventTime"]


class CreateLogGroupRequest(TypedDict):
    logGroupName: str
    kmsKeyId: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    logGroupClass: NotRequired[LogGroupClass]
    deletionProtectionEnabled: NotRequired[bool]


class CreateLogStreamRequest(TypedDict):
    logGroupName: str
    logStreamName: str


class DeleteLogGroupRequest(TypedDict):
    logGroupName: str


class DeleteLogStreamRequest(TypedDict):
    logGroupName: str
    logStreamName: str


class DeleteMetricFilterRequest(TypedDict):
    logGroupName: str
    filterName: str


class DeleteRetentionPolicyRequest(TypedDict):
    logGroupName: str


class DescribeLogGroupsRequest(TypedDict):
    accountIdentifiers: NotRequired[list[str]]
    logGroupNamePrefix: NotRequired[str]
    logGroupNamePattern: NotRequired[str]
    nextToken: NotRequired[str]
    limit: NotRequired[int]
    includeLinkedAccounts: NotRequired[bool]
    logGroupClass: NotRequired[LogGroupClass]
    logGroupIdentifiers: NotRequired[list[str]]


class DescribeLogGroupsResponse(TypedDict):
    logGroups: NotRequired[list[LogGroup]]
    nextToken: NotRequired[str]


class DescribeLogStreamsRequest(TypedDict):
    logGroupName: NotRequired[str]
    logGroupIdentifier: NotRequired[str]
    logStreamNamePrefix: NotRequired[str]
    orderBy: NotRequired[OrderBy]
    descending: NotRequired[bool]
    nextToken: NotRequired[str]
    limit: NotRequired[int]


class DescribeLogStreamsResponse(TypedDict):
    logStreams: NotRequired[list[LogStream]]
    nextToken: NotRequired[str]


class DescribeMetricFiltersRequest(TypedDict):
    logGroupName: NotRequired[str]
    filterNamePrefix: NotRequired[str]
    nextToken: NotRequired[str]
    limit: NotRequired[int]
    metricName: NotRequired[str]
    metricNamespace: NotRequired[str]


class DescribeMetricFiltersResponse(TypedDict):
    metricFilters: NotRequired[list[MetricFilter]]
    nextToken: NotRequired[str]


class Entity(TypedDict):
    keyAttributes: NotRequired[dict[str, str]]
    attributes: NotRequired[dict[str, str]]


class FilterLogEventsRequest(TypedDict):
    logGroupName: NotRequired[str]
    logGroupIdentifier: NotRequired[str]
    logStreamNames: NotRequired[list[str]]
    logStreamNamePrefix: NotRequired[str]
    startTime: NotRequired[int]
    endTime: NotRequired[int]
    filterPattern: NotRequired[str]
    nextToken: NotRequired[str]
    limit: NotRequired[int]
    startFromHead: NotRequired[bool]
    interleaved: NotRequired[bool]
    unmask: NotRequired[bool]


class FilterLogEventsResponse(TypedDict):
    events: NotRequired[list[FilteredLogEvent]]
    searchedLogStreams: NotRequired[list[SearchedLogStream]]
    nextToken: NotRequired[str]


class FilteredLogEvent(TypedDict):
    logStreamName: NotRequired[str]
    timestamp: NotRequired[int]
    message: NotRequired[str]
    ingestionTime: NotRequired[int]
    eventId: NotRequired[str]


class GetLogEventsRequest(TypedDict):
    logGroupName: NotRequired[str]
    logGroupIdentifier: NotRequired[str]
    logStreamName: str
    startTime: NotRequired[int]
    endTime: NotRequired[int]
    nextToken: NotRequired[str]
    limit: NotRequired[int]
    startFromHead: NotRequired[bool]
    unmask: NotRequired[bool]


class GetLogEventsResponse(TypedDict):
    events: NotRequired[list[OutputLogEvent]]
    nextForwardToken: NotRequired[str]
    nextBackwardToken: NotRequired[str]


class InputLogEvent(TypedDict):
    timestamp: int
    message: str


class ListTagsForResourceRequest(TypedDict):
    resourceArn: str


class ListTagsForResourceResponse(TypedDict):
    tags: NotRequired[dict[str, str]]


class ListTagsLogGroupRequest(TypedDict):
    logGroupName: str


class ListTagsLogGroupResponse(TypedDict):
    tags: NotRequired[dict[str, str]]


class LiveTailSessionLogEvent(TypedDict):
    logStreamName: NotRequired[str]
    logGroupIdentifier: NotRequired[str]
    message: NotRequired[str]
    timestamp: NotRequired[int]
    ingestionTime: NotRequired[int]


class LiveTailSessionMetadata(TypedDict):
    sampled: NotRequired[bool]


class LiveTailSessionStart(TypedDict):
    requestId: NotRequired[str]
    sessionId: NotRequired[str]
    logGroupIdentifiers: NotRequired[list[str]]
    logStreamNames: NotRequired[list[str]]
    logStreamNamePrefixes: NotRequired[list[str]]
    logEventFilterPattern: NotRequired[str]


class LiveTailSessionUpdate(TypedDict):
    sessionMetadata: NotRequired[LiveTailSessionMetadata]
    sessionResults: NotRequired[list[LiveTailSessionLogEvent]]


class LogGroup(TypedDict):
    logGroupName: NotRequired[str]
    creationTime: NotRequired[int]
    retentionInDays: NotRequired[int]
    metricFilterCount: NotRequired[int]
    arn: NotRequired[str]
    storedBytes: NotRequired[int]
    kmsKeyId: NotRequired[str]
    dataProtectionStatus: NotRequired[DataProtectionStatus]
    inheritedProperties: NotRequired[list[InheritedProperty]]
    logGroupClass: NotRequired[LogGroupClass]
    logGroupArn: NotRequired[str]
    deletionProtectionEnabled: NotRequired[bool]
    bearerTokenAuthenticationEnabled: NotRequired[bool]
    retentionPolicyName: NotRequired[str]


class LogStream(TypedDict):
    logStreamName: NotRequired[str]
    creationTime: NotRequired[int]
    firstEventTimestamp: NotRequired[int]
    lastEventTimestamp: NotRequired[int]
    lastIngestionTime: NotRequired[int]
    uploadSequenceToken: NotRequired[str]
    arn: NotRequired[str]
    storedBytes: NotRequired[int]


class MetricFilter(TypedDict):
    filterName: NotRequired[str]
    filterPattern: NotRequired[str]
    metricTransformations: NotRequired[list[MetricTransformation]]
    creationTime: NotRequired[int]
    logGroupName: NotRequired[str]
    applyOnTransformedLogs: NotRequired[bool]
    fieldSelectionCriteria: NotRequired[str]
    emitSystemFieldDimensions: NotRequired[list[str]]


class MetricFilterMatchRecord(TypedDict):
    eventNumber: NotRequired[int]
    eventMessage: NotRequired[str]
    extractedValues: NotRequired[dict[str, str]]


class MetricTransformation(TypedDict):
    metricName: str
    metricNamespace: str
    metricValue: str
    defaultValue: NotRequired[float]
    dimensions: NotRequired[dict[str, str]]
    unit: NotRequired[str]


class OutputLogEvent(TypedDict):
    timestamp: NotRequired[int]
    message: NotRequired[str]
    ingestionTime: NotRequired[int]


class PutLogEventsRequest(TypedDict):
    logGroupName: str
    logStreamName: str
    logEvents: list[InputLogEvent]
    sequenceToken: NotRequired[str]
    entity: NotRequired[Entity]


class PutLogEventsResponse(TypedDict):
    nextSequenceToken: NotRequired[str]
    rejectedLogEventsInfo: NotRequired[RejectedLogEventsInfo]
    rejectedEntityInfo: NotRequired[RejectedEntityInfo]


class PutMetricFilterRequest(TypedDict):
    logGroupName: str
    filterName: str
    filterPattern: str
    metricTransformations: list[MetricTransformation]
    applyOnTransformedLogs: NotRequired[bool]
    fieldSelectionCriteria: NotRequired[str]
    emitSystemFieldDimensions: NotRequired[list[str]]


class PutRetentionPolicyRequest(TypedDict):
    logGroupName: str
    retentionInDays: int


class RejectedEntityInfo(TypedDict):
    errorType: EntityRejectionErrorType


class RejectedLogEventsInfo(TypedDict):
    tooNewLogEventStartIndex: NotRequired[int]
    tooOldLogEventEndIndex: NotRequired[int]
    expiredLogEventEndIndex: NotRequired[int]


class SearchedLogStream(TypedDict):
    logStreamName: NotRequired[str]
    searchedCompletely: NotRequired[bool]


class SessionStreamingException(TypedDict):
    message: NotRequired[str]


class SessionTimeoutException(TypedDict):
    message: NotRequired[str]


class StartLiveTailRequest(TypedDict):
    logGroupIdentifiers: list[str]
    logStreamNames: NotRequired[list[str]]
    logStreamNamePrefixes: NotRequired[list[str]]
    logEventFilterPattern: NotRequired[str]


class StartLiveTailResponse(TypedDict):
    responseStream: NotRequired[AsyncIterator[StartLiveTailResponseStream]]


class StartLiveTailResponseStream(TypedDict):
    sessionStart: NotRequired[LiveTailSessionStart]
    sessionUpdate: NotRequired[LiveTailSessionUpdate]
    SessionTimeoutException: NotRequired[SessionTimeoutException]
    SessionStreamingException: NotRequired[SessionStreamingException]


class TagLogGroupRequest(TypedDict):
    logGroupName: str
    tags: dict[str, str]


class TagResourceRequest(TypedDict):
    resourceArn: str
    tags: dict[str, str]


class TestMetricFilterRequest(TypedDict):
    filterPattern: str
    logEventMessages: list[str]


class TestMetricFilterResponse(TypedDict):
    matches: NotRequired[list[MetricFilterMatchRecord]]


class UntagLogGroupRequest(TypedDict):
    logGroupName: str
    tags: list[str]


class UntagResourceRequest(TypedDict):
    resourceArn: str
    tagKeys: list[str]
