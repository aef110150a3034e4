"""Messages as botocore's reader takes them apart: the reader of most callers is the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.eventstream import EventStream, EventStreamBuffer, EventStreamMessage
from botocore.exceptions import EventStreamError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from moorage.aws import eventstream

PART = eventstream.event_headers("PayloadPart", "application/octet-stream")
names = st.text(min_size=1, max_size=60)


def read(data: bytes) -> list[EventStreamMessage]:
    """Every message of `data`, checksums verified."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


def events(data: bytes) -> list[dict[str, Any]]:
    """What a caller of InvokeEndpointWithResponseStream gets to see of `data`."""
    model = ServiceModel(Loader().load_service_model("sagemaker-runtime", "service-2"), "sagemaker-runtime")
    shape = model.operation_model("InvokeEndpointWithResponseStream").get_event_stream_output()
    parser = create_parser("rest-json")._event_stream_parser
    return list(EventStream(Raw(data), shape, parser, "InvokeEndpointWithResponseStream"))


class Raw:
    """A body that arrives in pieces of seven bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Any:
        return (self._data[start : start + 7] for start in range(0, len(self._data), 7))


@given(st.dictionaries(names, st.text(max_size=300), max_size=8), st.binary(max_size=2_000))
def test_what_is_written_is_read(fields: dict[str, str], payload: bytes) -> None:
    (found,) = read(eventstream.message(eventstream.headers(fields), payload))

    assert (fields, payload) == (found.headers, found.payload)


@given(st.lists(st.binary(min_size=1, max_size=500), max_size=6))
def test_messages_follow_each_other_without_a_gap(payloads: list[bytes]) -> None:
    data = b"".join(eventstream.message(PART, payload) for payload in payloads)

    assert payloads == [event["PayloadPart"]["Bytes"] for event in events(data)]


def test_a_header_that_has_no_room_for_its_length_is_refused() -> None:
    for fields in ({"n" * 256: ""}, {"name": "v" * 65_536}):
        with pytest.raises(OverflowError):
            eventstream.headers(fields)


def test_an_exception_ends_the_stream_with_its_own_type() -> None:
    data = eventstream.message(PART, b"half") + eventstream.exception(
        "ModelStreamError", {"Message": "broken off", "ErrorCode": "StreamBroken"}
    )

    with pytest.raises(EventStreamError) as caught:
        events(data)
    assert {"Code": "ModelStreamError", "Message": "broken off"} == caught.value.response["Error"]
    assert b'"ErrorCode":"StreamBroken"' in data


def test_a_flipped_bit_is_noticed() -> None:
    """Otherwise the tests above would show nothing about the checksums."""
    whole = eventstream.message(PART, b"payload")
    for place in (5, 9, 20, len(whole) - 6, len(whole) - 1):
        broken = bytearray(whole)
        broken[place] ^= 1
        with pytest.raises(Exception, match="hecksum"):
            read(bytes(broken))
