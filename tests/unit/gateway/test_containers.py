"""Which of several containers a request is for, and who is blamed."""

import pytest

from moorage.aws.errors import ServiceError
from moorage.gateway.containers import CONTAINER, TARGET_CONTAINER, Containers, latencies, target_of, with_target

SERIAL = Containers(("scale", "forest"), is_direct=False)
DIRECT = Containers(("scale", "forest"), is_direct=True)


def aimed(containers: Containers | None, target: bytes | None) -> bytes | None:
    fields = {} if target is None else {TARGET_CONTAINER: target}
    return target_of(containers, fields, endpoint="iris", account_id="123456789012")


@pytest.mark.parametrize(
    ("expected", "containers", "target"),
    [(None, None, None), (None, SERIAL, None), (b"forest", DIRECT, b"forest")],
)
def test_what_a_request_is_for(expected: bytes | None, containers: Containers | None, target: bytes | None) -> None:
    assert expected == aimed(containers, target)


@pytest.mark.parametrize(
    ("message", "containers", "target"),
    [
        ("Endpoint iris does not host containers in direct mode", None, b"forest"),
        ("Endpoint iris does not host containers in direct mode", SERIAL, b"forest"),
        ("Endpoint iris hosts containers in direct mode and requires", DIRECT, None),
        ("Container Forest of endpoint iris of account 123456789012 not found.", DIRECT, b"Forest"),
        ("Container  of endpoint iris of account 123456789012 not found.", DIRECT, b""),
        ("Container \ufffd of endpoint iris of account 123456789012 not found.", DIRECT, b"\xff"),
    ],
)
def test_what_is_refused(message: str, containers: Containers | None, target: bytes | None) -> None:
    with pytest.raises(ServiceError) as caught:
        aimed(containers, target)
    assert ("ValidationError", 400) == (caught.value.code, caught.value.status)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("expected", "target", "answer"),
    [
        ("forest", None, {CONTAINER: b"forest"}),
        ("forest", b"scale", {CONTAINER: b"forest"}),
        ("forest", b"forest", {}),
        ("scale", None, {}),
        ("scale", None, {CONTAINER: b"nobody"}),
    ],
)
def test_who_is_blamed(expected: str, target: bytes | None, answer: dict[bytes, bytes]) -> None:
    assert expected == DIRECT.blamed(target, answer)


def test_the_front_is_told_the_target() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"
    expected = b"POST / HTTP/1.1\r\nHost: a\r\nX-Amzn-SageMaker-Target-Container-Hostname: forest\r\n\r\n"
    assert expected == with_target(head, b"forest")


def test_latencies_are_read() -> None:
    assert {"scale": 210, "forest": 1700} == latencies(b"scale=210,forest=1700")
    assert {} == latencies(b"")
