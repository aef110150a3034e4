"""The gateway on a real port, in front of instances and a control on Unix sockets; botocore is the client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from moorage.testing.gateway_world import ACCOUNT, LIMIT, GatewayWorld, answering, invoke, refused, running_gateway
from moorage.wire.client import Client
from moorage.wire.messages import Request, Response


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[GatewayWorld]:
    async with running_gateway(tmp_path) as world:
        yield world


async def test_an_invocation_reaches_the_container_and_comes_back(world: GatewayWorld) -> None:
    seen: list[Request] = []

    async def handle(request: Request) -> Response:
        seen.append(request)
        return Response(
            200, [(b"content-type", b"text/csv"), (b"set-cookie", b"a=b")], b"<" + await request.read(LIMIT)
        )

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    answer = await world.invoke(b"5.1,3.5", Accept="text/csv", CustomAttributes="a=1")
    assert (b"<5.1,3.5", "text/csv", "AllTraffic") == (
        answer["Body"],
        answer["ContentType"],
        answer["InvokedProductionVariant"],
    )
    assert "set-cookie" not in answer["ResponseMetadata"]["HTTPHeaders"]
    assert answer["ResponseMetadata"]["RequestId"]
    assert (b"POST", b"/invocations") == (seen[0].method, seen[0].target)
    assert {
        b"host",
        b"accept",
        b"content-type",
        b"content-length",
        b"x-amzn-requestid",
        b"x-amzn-sagemaker-custom-attributes",
    } == {name for name, _ in seen[0].headers}
    assert answer["ResponseMetadata"]["RequestId"].encode() == seen[0].header(b"x-amzn-requestid")


async def test_large_bodies_pass_both_ways(world: GatewayWorld) -> None:
    await world.instance("i-1", answering())
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    body = bytes(range(256)) * (LIMIT // 256)
    assert body == (await world.invoke(body))["Body"]
    error = await refused(world.invoke(body + b"x"))
    assert 413 == error["ResponseMetadata"]["HTTPStatusCode"]


async def test_who_may_not_invoke(world: GatewayWorld) -> None:
    await world.instance("i-1", answering())
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    for code, client in (
        ("InvalidSignatureException", world.client(secret="wrong")),
        ("UnrecognizedClientException", world.client(key="AKIB")),
    ):
        error = await refused(asyncio.to_thread(invoke, client, b""))
        assert (code, 403) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])


async def test_what_is_not_there(world: GatewayWorld) -> None:
    assert "ServiceUnavailable" == (await refused(world.invoke()))["Error"]["Code"]
    await world.publish(("Empty", 1.0, []), fault="The model has no inference.py.")
    assert "ServiceUnavailable" == (await refused(world.invoke()))["Error"]["Code"]
    for arguments in ({"EndpointName": "Iris"}, {"TargetVariant": "Other"}, {"TargetModel": "m.tar.gz"}):
        error = await refused(world.invoke(**arguments))
        assert ("ValidationError", 400) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
    elsewhere = await refused(asyncio.to_thread(invoke, world.client(region="us-east-1"), b""))
    assert f"Endpoint iris of account {ACCOUNT} not found." == elsewhere["Error"]["Message"]


async def test_a_variant_can_be_aimed_at(world: GatewayWorld) -> None:
    await world.instance("i-1", answering(body=b"one"))
    await world.instance("i-2", answering(body=b"two"))
    await world.publish(("One", 1.0, ["i-1"]), ("Two", 0.0, ["i-2"]))
    assert b"one" == (await world.invoke())["Body"]
    answer = await world.invoke(TargetVariant="Two")
    assert (b"two", "Two") == (answer["Body"], answer["InvokedProductionVariant"])


async def test_what_the_model_refuses_is_a_model_error(world: GatewayWorld) -> None:
    await world.instance("i-1", answering(400, "three features, four expected é".encode()))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    error = await refused(world.invoke())
    assert ("ModelError", 424) == (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"])
    assert (400, "three features, four expected é") == (error["OriginalStatusCode"], error["OriginalMessage"])
    assert error["LogStreamArn"].endswith(":log-stream:AllTraffic/i-1")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 11,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_makes_no_sense_is_the_models_fault(world: GatewayWorld, answer: bytes) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with world.instance_of_bytes("i-1", speak):
        await world.publish(("AllTraffic", 1.0, ["i-1"]))
        error = await refused(world.invoke())
    assert ("ModelError", 0) == (error["Error"]["Code"], error["OriginalStatusCode"])
    assert error["Error"]["Message"].startswith('Received server error (0) from primary with message "')


async def test_a_dead_instance_costs_nobody_a_request(world: GatewayWorld) -> None:
    await world.instance("i-1", answering(body=b"one"))
    dead = await world.instance("i-2", answering(body=b"two"))
    await world.publish(("AllTraffic", 1.0, ["i-1", "i-2", "i-3"]))
    # Twenty, for each is drawn: six of them miss one of two instances every sixty-fourth time.
    assert {b"one"} <= {(await world.invoke())["Body"] for _ in range(20)} <= {b"one", b"two"}
    await dead.close(grace_s=0)
    assert {b"one"} == {(await world.invoke())["Body"] for _ in range(6)}


async def test_a_long_answer_that_breaks_off_is_cut(world: GatewayWorld) -> None:
    async def handle(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * 200_000
            raise RuntimeError("the model died")

        return Response(200, [], pieces(), content_length=400_000)

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    with pytest.raises(Exception, match=r"(?i)connection|incomplete"):
        await world.invoke()
    assert {"drained": ["i-1"]} == await world.ask_admin(b"/drain", {"instances": ["i-1"], "timeout_s": 60})


async def test_a_drain_waits_for_the_requests_of_an_older_table(world: GatewayWorld) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        arrived.set()
        await go_on.wait()
        return Response(200, [], b"late")

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    invocation = asyncio.create_task(world.invoke())
    await arrived.wait()
    await world.publish(("AllTraffic", 1.0, ["i-2"]))
    question: dict[str, Any] = {"instances": ["i-1", "i-2"], "timeout_s": 0.01}
    assert {"drained": ["i-2"]} == await world.ask_admin(b"/drain", question)
    drain = asyncio.create_task(world.ask_admin(b"/drain", question | {"timeout_s": 60}))
    go_on.set()
    assert b"late" == (await invocation)["Body"]
    assert {"drained": ["i-1", "i-2"]} == await drain


async def test_a_body_that_arrives_after_a_swap_goes_where_the_new_table_says(world: GatewayWorld) -> None:
    await world.instance("i-1", answering(body=b"old"))
    await world.instance("i-2", answering(body=b"new"))
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    invocation = signed(world.port, b"1,2")
    writer.write(invocation[:-1])
    await writer.drain()
    await asyncio.sleep(0.05)  # long enough that the head has been read and the gateway waits for the body
    await world.publish(("AllTraffic", 1.0, ["i-2"]))
    assert {"drained": ["i-1"]} == await world.ask_admin(b"/drain", {"instances": ["i-1"], "timeout_s": 0.01})
    writer.write(invocation[-1:])
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"HTTP/1.1 200" == head[:12]
    assert b"new" == await reader.readexactly(3)
    writer.close()


async def test_a_client_that_leaves_cancels_its_invocation(world: GatewayWorld) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Response:
        arrived.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            gone.set()
            raise
        return Response(200)

    await world.instance("i-1", handle)
    await world.publish(("AllTraffic", 1.0, ["i-1"]))
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(signed(world.port, b"1,2"))
    async with asyncio.timeout(60):
        await arrived.wait()
        writer.close()
        await gone.wait()
    assert {"drained": ["i-1"]} == await world.ask_admin(b"/drain", {"instances": ["i-1"], "timeout_s": 60})


def signed(port: int, body: bytes) -> bytes:
    """An invocation as bytes."""
    path, host = "/endpoints/iris/invocations", f"127.0.0.1:{port}"
    request = AWSRequest("POST", f"http://{host}{path}", data=body, headers={"Content-Length": str(len(body))})
    SigV4Auth(Credentials("AKIA", "secret"), "sagemaker", "eu-west-1").add_auth(request)
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode() + body


async def test_everything_else_is_forwarded(world: GatewayWorld) -> None:
    async def control(request: Request) -> Response:
        pieces = request.stream()
        first = await anext(pieces)

        async def echo() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        said = [(b"x-target", request.target), (b"x-host", request.header(b"host") or b"")]
        return Response(200, said, echo())

    await world.instance("control", control)
    client = Client()
    body = b"x" * 3_000_000
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(
        b"PUT /bucket/key?a=b HTTP/1.1\r\nHost: h:1\r\nExpect: 100-continue\r\nConnection: close, x-mine\r\n"
        b"X-Mine: 1\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    async with asyncio.timeout(60):
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        head = await reader.readuntil(b"\r\n\r\n")
        rest = await reader.read(-1)
    writer.close()
    assert b"x-target: /bucket/key?a=b\r\nx-host: h:1\r\n" in head
    assert len(body) <= len(rest) < len(body) + 10_000
    client.close()


async def test_an_upload_that_is_refused_is_not_asked_for(world: GatewayWorld) -> None:
    async def control(request: Request) -> Response:
        return Response(403, [], b"no")

    await world.instance("control", control)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"PUT /b/k HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3000000\r\n\r\n")
    async with asyncio.timeout(60):
        answer = await reader.read(-1)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close\r\n" in answer


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        (b'{"__type":"ServiceUnavailable"', b"X-Amz-Target: SageMaker.ListModels\r\n"),
        (b"<ErrorResponse><Error>", b"Content-Type: application/x-www-form-urlencoded\r\n"),
        (b"<Error>", b""),
    ],
)
async def test_while_control_is_away_callers_are_told_to_come_back(
    world: GatewayWorld, expected: bytes, fields: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n" + fields + b"\r\n")
    async with asyncio.timeout(60):
        answer = await reader.read(-1)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in answer
    assert expected in answer


async def test_health_needs_no_signature(world: GatewayWorld) -> None:
    await world.publish(("AllTraffic", 1.0, []))
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(60):
        assert (await reader.read(-1)).endswith(b'{"status":"ok","version":1}')
    writer.close()
