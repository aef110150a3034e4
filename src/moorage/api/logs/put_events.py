"""PutLogEvents: events of one's own."""

from __future__ import annotations

from moorage.api.logs.errors import invalid
from moorage.api.logs.part import Part, in_thread
from moorage.api.logs.put_rules import accept
from moorage.api.service import Caller, operation
from moorage.aws.types.logs import PutLogEventsRequest, PutLogEventsResponse
from moorage.telemetry.log_writer import put_events


class PutLogEvents(Part):
    """The operation that writes events."""

    @operation("PutLogEvents")
    async def put_log_events(self, caller: Caller, request: PutLogEventsRequest) -> PutLogEventsResponse:
        """Add a batch to a stream that somebody made. Sequence tokens are ignored, as by AWS, but still given."""
        region, group = caller.region, request["logGroupName"]
        stream = await self._stream(region, group, request["logStreamName"])
        if stream.is_printed:
            raise invalid("The specified log stream is an instance's own: nobody else can put events into it.")
        now = self._clock.now()
        now_ms = int(now.timestamp() * 1000)
        document = await self._require_group(region, group)
        retention_days = document.body.get("retentionInDays") if document else None
        accepted = accept(request["logEvents"], retention_days=retention_days, now=now)
        if accepted.events:
            await in_thread(lambda: put_events(stream, accepted.events, put_at=self._needs.put_times))
        response: PutLogEventsResponse = {"nextSequenceToken": f"{now_ms:056d}"}
        if accepted.rejected:
            response["rejectedLogEventsInfo"] = accepted.rejected
        if "entity" in request:
            response["rejectedEntityInfo"] = {"errorType": "UnsupportedLogGroupType"}
        return response
