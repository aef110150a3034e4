"""Who gets an event stream, who the model's own bytes, and whose answer is held back."""

from __future__ import annotations

import pytest

from moorage.gateway.form import Form, form_of
from moorage.gateway.target import Operation, caller_event_fields, container_stream_request
from moorage.wire.heads import parse_request
from moorage.wire.limits import Limits
from moorage.wire.request import ServerRequest


def request(**fields: str) -> ServerRequest:
    """A request with these fields; `_` stands for `-` in their names."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return parse_request(f"POST /x HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n".encode(), Limits())


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, Form.EVENTS),
        ({"accept": "*/*"}, Form.EVENTS),
        ({"accept": "application/vnd.amazon.eventstream"}, Form.EVENTS),
        ({"accept": "text/event-stream", "x_amzn_sagemaker_accept": "text/event-stream"}, Form.EVENTS),
        ({"accept": "application/json", "amz_sdk_invocation_id": "1"}, Form.EVENTS),
        ({"accept": "text/event-stream"}, Form.PIECES),
        ({"accept": "Text/Plain; charset=utf-8"}, Form.PIECES),
    ],
)
def test_the_streaming_operation_answers_with_events_unless_another_type_is_asked_for(
    fields: dict[str, str], form: Form
) -> None:
    assert form is form_of(Operation.STREAM, request(**fields), b"application/json")


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        (b"text/event-stream", Form.PIECES),
        (b"Text/Event-Stream; charset=utf-8", Form.PIECES),
        (b"application/x-ndjson", Form.PIECES),
        (b"application/jsonl", Form.PIECES),
        (b"application/jsonlines", Form.WHOLE),
        (b"application/json", Form.WHOLE),
        (None, Form.WHOLE),
    ],
)
def test_an_invocation_streams_if_the_models_type_does(content_type: bytes | None, form: Form) -> None:
    assert form is form_of(Operation.INVOKE, request(accept="text/event-stream"), content_type)


@pytest.mark.parametrize(
    ("fields", "accept"),
    [
        ({"x_amzn_sagemaker_accept": "text/csv", "accept": "*/*"}, b"accept: text/csv\r\n"),
        ({"accept": "text/event-stream"}, b"accept: text/event-stream\r\n"),
        ({"accept": "application/vnd.amazon.eventstream"}, b""),
        ({}, b""),
    ],
)
def test_what_the_container_is_to_accept(fields: dict[str, str], accept: bytes) -> None:
    head = container_stream_request(request(content_type="text/plain", **fields), b"12345", request_id="r-1")

    assert (
        b"POST /invocations HTTP/1.1\r\nHost: localhost:8080\r\ncontent-type: text/plain\r\n%b"
        b"X-Amzn-RequestId: r-1\r\ncontent-length: 5\r\n\r\n" % accept
    ) == head


def test_the_head_above_events_has_the_models_type_in_a_field_of_its_own() -> None:
    fields = caller_event_fields(
        {b"content-type": b"text/csv", b"set-cookie": b"a=b"}, signature=b"S: 1\r\n", request_id=b"id"
    )

    assert [
        b"Content-Type: application/vnd.amazon.eventstream",
        b"X-Amzn-SageMaker-Content-Type: text/csv",
        b"S: 1",
        b"x-amzn-RequestId: id",
    ] == fields.splitlines()
