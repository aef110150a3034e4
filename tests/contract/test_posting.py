"""Posts to subscribers over real sockets: what arrives, and subscribers that answer badly, slowly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from moorage.control.notifications import posting
from moorage.control.notifications.posting import NotPosted, Poster
from moorage.core.notifications.addresses import parse_allowed
from moorage.core.notifications.messages import Posting
from moorage.core.notifications.topic import ForbiddenAddress

pytestmark = pytest.mark.asyncio

POSTER = Poster(parse_allowed("127.0.0.1"))


@contextlib.asynccontextmanager
async def subscriber(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request by `answer`: its address, and what it has received.

    At the end nothing goes on there any more.
    """
    received: list[bytes] = []
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            received.append(head + await reader.readexactly(length))
            await answer(head, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b", received
    await asyncio.gather(*serving)


def saying(data: bytes) -> Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


async def test_the_request_is_plain_http() -> None:
    async with subscriber(saying(b"HTTP/1.1 204 No Content\r\n\r\n")) as (url, received):
        assert 204 == await POSTER.post(Posting(url, {"Content-Type": "text/plain"}, "héllo"))
    [request] = received
    head, _, body = request.partition(b"\r\n\r\n")
    assert "héllo".encode() == body
    assert b"POST /hook?a=b HTTP/1.1" == head.split(b"\r\n")[0]
    assert {b"Host", b"Connection", b"Content-Length", b"Content-Type"} == {
        line.split(b":")[0] for line in head.split(b"\r\n")[1:]
    }


async def test_the_final_status_counts_and_the_rest_is_read_within_bounds() -> None:
    endless = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n" + b"x" * 1_000_000
    async with subscriber(saying(endless)) as (url, _):
        assert 500 == await POSTER.post(Posting(url, {}, ""))


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 2000 No\r\n\r\n", b"a" * 200_000])
async def test_whoever_does_not_speak_http_has_not_answered(answer: bytes) -> None:
    async with subscriber(saying(answer)) as (url, _):
        with pytest.raises(NotPosted):
            await POSTER.post(Posting(url, {}, ""))


async def test_one_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.2)
    never = asyncio.Event()

    async def silent(_: bytes, writer: asyncio.StreamWriter) -> None:
        await never.wait()

    async with subscriber(silent) as (url, _):
        with pytest.raises(NotPosted, match="no answer"):
            await POSTER.post(Posting(url, {}, ""))
        never.set()


async def test_one_that_is_not_there_cannot_be_reached() -> None:
    async with subscriber(saying(b"")) as (url, _):
        pass
    with pytest.raises(NotPosted):
        await POSTER.post(Posting(url, {}, ""))


async def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    poster = Poster(parse_allowed("127.0.0.0/8"))
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with subscriber(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as (url, received):
        assert 200 == await poster.post(Posting(url, {}, ""))  # it listens at the second address only
    assert 1 == len(received)


async def test_private_addresses_are_not_connected_to() -> None:
    strict = Poster(parse_allowed(""))
    async with subscriber(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as (url, received):
        with pytest.raises(ForbiddenAddress):
            await strict.post(Posting(url, {}, ""))
        with pytest.raises(ForbiddenAddress):
            await strict.check(url.replace("127.0.0.1", "localhost"))
    assert [] == received


async def test_encrypted_endpoints_have_to_prove_who_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    async with subscriber(saying(b"HTTP/1.1 200 OK\r\n\r\n"), tls=serving) as (url, received):
        with pytest.raises(NotPosted, match="CERTIFICATE_VERIFY_FAILED"):
            await POSTER.post(Posting(url, {}, ""))
        assert [] == received
        monkeypatch.setattr(posting, "_tls_context", lambda: ssl.create_default_context(cafile=certificate))
        assert 200 == await POSTER.post(Posting(url, {}, ""))


def make_certificate(folder: Path, address: str) -> Path:
    """A certificate of its own making with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
