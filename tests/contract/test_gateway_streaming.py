"""Streamed answers through a gateway on a real port: what goes over the wire, and what is held of it where."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from moorage.testing.gateway_world import GatewayWorld, answering, refused, running_gateway
from moorage.wire.messages import Handler, Request, Response

PATH = "/endpoints/iris/invocations-response-stream"
PIECE = bytes(65_536)
FLOOD = 500
HELD_BYTES_MAX = 16_000_000
"""Of one stream, in all windows and socket buffers between an instance and a caller that does not read. The kernel lets
a TCP connection on loopback hold several megabytes."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path) as world:
        yield world


def signed(port: int, body: bytes = b"1,2", **headers: str) -> bytes:
    """A streaming invocation as bytes."""
    host = f"127.0.0.1:{port}"
    fields = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": str(len(body))}
    request = AWSRequest("POST", f"http://{host}{PATH}", data=body, headers=fields)
    SigV4Auth(Credentials("AKIA", "secret"), "sagemaker", "eu-west-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode() + body


@contextlib.asynccontextmanager
async def asked(
    world: GatewayWorld, body: bytes = b"1,2", **headers: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which a streaming invocation has been sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        async with asyncio.timeout(60):
            writer.write(signed(world.port, body, **headers))
            yield reader, writer
    finally:
        writer.close()


async def dechunked(reader: asyncio.StreamReader) -> bytes:
    """A chunked body to its proper end."""
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    assert b"\r\n" == await reader.readexactly(2)
    return bytes(body)


def streaming(*pieces: bytes) -> Handler:
    async def handle(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return Response(200, [(b"content-type", b"text/plain")], body())

    return handle


async def test_an_event_stream_is_a_chunked_answer_and_the_connection_stays(world: GatewayWorld) -> None:
    await world.instance("i-1", streaming(b"one", b"two"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    async with asked(world) as (reader, writer):
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"HTTP/1.1 200" == head[:12]
            for field in (
                b"Content-Type: application/vnd.amazon.eventstream",
                b"X-Amzn-SageMaker-Content-Type: text/plain",
                b"x-Amzn-Invoked-Production-Variant: AllTraffic",
                b"transfer-encoding: chunked",
            ):
                assert field in head.split(b"\r\n")
            buffer = EventStreamBuffer()
            buffer.add_data(await dechunked(reader))
            assert b"onetwo" == b"".join(message.payload for message in buffer)
            writer.write(signed(world.port))


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (b"zz\r\n", b"chunk"),
        (b"", b"the connection was closed"),
        (b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"more was sent than the answer"),
    ],
)
async def test_what_breaks_half_way_is_said_in_an_answer_that_is_whole(
    world: GatewayWorld, rest: bytes, why: bytes
) -> None:
    begun = asyncio.Event()

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await begun.wait()
        writer.write(rest)

    async with world.instance_of_bytes("i-1", speak):
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        async with asked(world) as (reader, _):
            await reader.readuntil(b"\r\n\r\n")
            begun.set()
            buffer = EventStreamBuffer()
            buffer.add_data(await dechunked(reader))
    part, failure = buffer
    assert b"one" == part.payload
    assert "ModelStreamError" == failure.headers[":exception-type"]
    assert b'"ErrorCode":"StreamBroken"' in failure.payload
    assert why in failure.payload


async def test_what_became_of_a_stream_is_written_down(tmp_path: Path) -> None:
    async def handle(request: Request) -> Response:
        async def body(sent: bytes) -> AsyncIterator[bytes]:
            yield sent
            if sent == b"fail":
                raise LookupError("gone")

        return Response(200, [], body(await request.read(100)))

    async with running_gateway(tmp_path) as world:
        await world.instance("i-1", handle)
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        for sent in (b"well", b"fail"):
            async with asked(world, sent) as (reader, _):
                await reader.readuntil(b"\r\n\r\n")
                await dechunked(reader)
    operation = "InvokeEndpointWithResponseStream"
    assert [(operation, 200, None, 4), (operation, 200, "ModelStreamError", 4)] == [
        (line["operation"], line["status"], line.get("error"), line["bytes_out"]) for line in world.logged()
    ]


async def test_a_refusal_of_the_model_is_no_stream(world: GatewayWorld) -> None:
    await world.instance("i-1", answering(400, b"three features"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    client = world.client()
    with contextlib.closing(client):
        error = await refused(
            asyncio.to_thread(client.invoke_endpoint_with_response_stream, EndpointName="iris", Body=b"1")
        )
    assert ("ModelError", 424) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
    assert "three features" == error["OriginalMessage"]


@pytest.mark.parametrize("accept", ["*/*", "text/plain"])
async def test_a_model_is_no_further_ahead_of_its_caller_than_the_windows(world: GatewayWorld, accept: str) -> None:
    sent = 0

    async def handle(request: Request) -> Response:
        async def flood() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(FLOOD):
                sent += len(PIECE)
                yield PIECE

        # While nothing moves, the instance is asked whether it is alive.
        return Response(200) if request.path == b"/ping" else Response(200, [], flood())

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    async with asked(world, accept=accept) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while sent > before:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.2)
        assert len(PIECE) <= sent < HELD_BYTES_MAX
        assert FLOOD * len(PIECE) <= len(await dechunked(reader))
    assert FLOOD * len(PIECE) == sent


async def test_a_caller_that_leaves_ends_the_work_at_once_and_frees_the_instance(world: GatewayWorld) -> None:
    gone = asyncio.Event()

    async def handle(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                yield b"one"
                await asyncio.sleep(3600)
            finally:
                gone.set()

        return Response(200, [], body())

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    question = {"instances": ["i-1"], "timeout_s": 0.01}
    async with asked(world) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        assert {"drained": []} == await world.ask_admin(b"/drain", question)
    async with asyncio.timeout(60):
        await gone.wait()
    assert {"drained": ["i-1"]} == await world.ask_admin(b"/drain", question | {"timeout_s": 60})
