"""Publish and PublishBatch: messages to whoever is subscribed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from moorage.api.service import Caller, operation
from moorage.api.sns.errors import invalid, no_such_topic, refused, throttled
from moorage.api.sns.part import Part, key_in
from moorage.aws.errors import ServiceError
from moorage.aws.types.sns import (
    BatchResultErrorEntry,
    PublishBatchInput,
    PublishBatchResponse,
    PublishBatchResultEntry,
    PublishInput,
    PublishResponse,
)
from moorage.core.notifications.messages import DEFAULT_TEXT, Message
from moorage.core.notifications.topic import NoSuchTopic, TooManyNotifications, TopicKey
from moorage.system.entropy import new_request_id

BYTES_MAX: Final = 262_144
SUBJECT_MAX: Final = 100
BATCH_MAX: Final = 10
_BATCH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_UNSUPPORTED: Final = ("PhoneNumber", "MessageDeduplicationId", "MessageGroupId")


class Publishing(Part):
    """The operations that publish."""

    @operation("Publish")
    async def publish(self, caller: Caller, request: PublishInput) -> PublishResponse:
        """Answered when it is saved who is to get the message."""
        arn = request.get("TopicArn") or request.get("TargetArn")
        if arn is None:
            raise invalid("TopicArn or TargetArn", "no value for required parameter")
        return {"MessageId": await self._publish(key_in(arn, caller), request)}

    @operation("PublishBatch")
    async def publish_batch(self, caller: Caller, request: PublishBatchInput) -> PublishBatchResponse:
        """Up to ten messages, each of which may fail by itself."""
        key = key_in(request["TopicArn"], caller)
        entries = request["PublishBatchRequestEntries"]
        _check_batch([entry["Id"] for entry in entries])
        if sum(len(entry["Message"].encode()) for entry in entries) > BYTES_MAX:
            raise ServiceError("BatchRequestTooLong", f"The messages of a batch may have {BYTES_MAX} bytes together.")
        successful: list[PublishBatchResultEntry] = []
        failed: list[BatchResultErrorEntry] = []
        for entry in entries:
            try:
                successful.append({"Id": entry["Id"], "MessageId": await self._publish(key, entry)})
            except ServiceError as error:
                if error.code == "NotFound":
                    raise
                failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
        return {"Successful": successful, "Failed": failed}

    async def _publish(self, key: TopicKey, request: Mapping[str, Any]) -> str:
        message = self._message(request)
        try:
            await self._notifications.publish(key, message)
        except NoSuchTopic:
            raise no_such_topic() from None
        except TooManyNotifications:
            raise throttled() from None
        return message.id

    def _message(self, request: Mapping[str, Any]) -> Message:
        for member in _UNSUPPORTED:
            if member in request:
                raise refused(member)
        text, subject = request["Message"], request.get("Subject")
        if not text:
            raise invalid("Message", "Empty message")
        if len(text.encode()) > BYTES_MAX:
            raise invalid("Message", "Message too long")
        if subject is not None and not _is_subject(subject):
            raise invalid("Subject", f"it must have 1 to {SUBJECT_MAX} printable characters in one line")
        texts = _texts(text, request.get("MessageStructure"))
        return Message(
            new_request_id(),
            self._clock.now(),
            text if texts is None else texts[DEFAULT_TEXT],
            subject=subject,
            attributes=_attributes(request.get("MessageAttributes", {})),
            texts=texts,
        )


def _is_subject(subject: str) -> bool:
    return 0 < len(subject) <= SUBJECT_MAX and subject.isprintable()


def _texts(text: str, structure: str | None) -> Mapping[str, str] | None:
    """The texts by protocol, if the message has one for each."""
    if structure is None:
        return None
    if structure != "json":
        raise invalid("MessageStructure", "it must be json")
    try:
        texts = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("Message Structure", "JSON message body failed to parse") from None
    if not isinstance(texts, dict) or not isinstance(texts.get(DEFAULT_TEXT), str):
        raise invalid("Message Structure", "No default entry in JSON message body")
    return {protocol: each for protocol, each in texts.items() if isinstance(each, str)}


def _attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    read: dict[str, Mapping[str, str]] = {}
    for name, attribute in attributes.items():
        if "StringValue" not in attribute:
            raise refused(f"binary message attributes, such as {name}")
        read[name] = {"Type": attribute["DataType"], "Value": attribute["StringValue"]}
    return read


def _check_batch(ids: list[str]) -> None:
    if not ids:
        raise ServiceError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > BATCH_MAX:
        raise ServiceError("TooManyEntriesInBatchRequest", f"A batch may have {BATCH_MAX} entries, not {len(ids)}.")
    if len(set(ids)) < len(ids):
        raise ServiceError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if not all(map(_BATCH_ID.fullmatch, ids)):
        raise ServiceError("InvalidBatchEntryId", "An Id must have 1 to 80 letters, digits, hyphens and underscores.")
