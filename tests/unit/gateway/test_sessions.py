import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.aws.errors import ServiceError
from moorage.core.model import InstanceId, instance_id
from moorage.gateway import sessions
from moorage.gateway.sessions import Session
from moorage.wire.messages import BadAnswer

INSTANCE = InstanceId("i-00f00c9e6a1b2c3d4")
EXPIRES = b"; Expires=2026-01-01T12:00:00Z"

container_ids = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", fullmatch=True).filter(lambda text: len(text) <= 238)
instances = st.builds(instance_id, st.text(), st.integers(1, 99), st.text(), st.integers(0, 99))


@given(container_ids.map(str.encode), instances)
def test_what_goes_out_comes_back_to_the_same_container(container_id: bytes, instance: InstanceId) -> None:
    session_id, _, expires = sessions.new_id(container_id + EXPIRES, instance).partition(b";")
    assert b";" + expires == EXPIRES
    assert len(session_id) <= 256
    for read in (sessions.of_invocation, sessions.of_stream):
        assert Session(container_id, instance) == read(session_id)
    assert session_id == sessions.closed_id(container_id, instance)


def test_a_session_is_made_by_an_invocation_but_not_by_a_stream() -> None:
    assert sessions.of_invocation(b"NEW_SESSION") is None
    with pytest.raises(ServiceError, match="'NEW_SESSION' at 'sessionId' failed to satisfy") as caught:
        sessions.of_stream(b"NEW_SESSION")
    assert ("ValidationError", 400) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("value", [b"", b"-", b"a-", b"-a", b"a_b", b"a b", b"NEW_SESSION2", b"\xff", b"a" * 257])
def test_what_could_be_no_sessions_id_is_refused(value: bytes) -> None:
    for read in (sessions.of_invocation, sessions.of_stream):
        with pytest.raises(ServiceError, match="at 'sessionId' failed to satisfy constraint") as caught:
            read(value)
        assert ("ValidationError", 400) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("value", [b"a", b"abc", b"a--00f00c9e6a1b2c3d4", b"a-XYZ", b"00f00c9e6a1b2c3d4"])
def test_an_id_that_was_not_made_here_leads_nowhere(value: bytes) -> None:
    found = sessions.of_stream(value)
    assert found.instance != INSTANCE


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"a",
        EXPIRES,
        b"a" + EXPIRES + b"x",
        b"a; Expires=soon",
        b"a b" + EXPIRES,
        b"a" * 239 + EXPIRES,
        b"a\r\nb: c",
    ],
)
def test_what_a_container_must_not_say_of_a_new_session(value: bytes) -> None:
    with pytest.raises(BadAnswer):
        sessions.new_id(value, INSTANCE)


@pytest.mark.parametrize("value", [b"", b"-a", b"a" * 239, b"a;b"])
def test_what_a_container_must_not_say_of_a_closed_session(value: bytes) -> None:
    with pytest.raises(BadAnswer):
        sessions.closed_id(value, INSTANCE)


def test_what_an_answer_says_of_sessions_goes_out_as_the_caller_knows_them() -> None:
    headers = [(sessions.NEW_SESSION_ID, b"a" + EXPIRES), (b"x-other", b"b"), (sessions.CLOSED_SESSION_ID, b"c")]
    assert (
        b"X-Amzn-SageMaker-New-Session-Id: a-00f00c9e6a1b2c3d4; Expires=2026-01-01T12:00:00Z\r\n"
        b"X-Amzn-SageMaker-Closed-Session-Id: c-00f00c9e6a1b2c3d4\r\n"
    ) == sessions.caller_fields(headers, INSTANCE)
    assert b"" == sessions.caller_fields([(b"content-type", b"text/csv")], INSTANCE)
