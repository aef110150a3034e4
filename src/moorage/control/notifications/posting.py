"""One POST to a subscriber, on a connection of its own, to an address that was checked after it was resolved.

Of a host with several addresses each is tried in turn until one takes the connection: `localhost` is `::1` as well.

No redirect is followed and of the answer only the status counts, so a few lines do: the rest of it is read, within
bounds, only so that the other side can finish.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from moorage.core.notifications.addresses import Allowed, Endpoint, parse_endpoint
from moorage.core.notifications.messages import Posting

TIMEOUT_S: Final = 15.0
_REST_S: Final = 2.0
_REST_BYTES_MAX: Final = 65_536
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")


class NotPosted(Exception):
    """The subscriber could not be reached, or did not answer in HTTP. The message says why."""


@dataclass(frozen=True, slots=True)
class Poster:
    """Makes requests to where they may go."""

    allowed: Allowed

    async def check(self, url: str) -> None:
        """Raises ForbiddenAddress if nothing may be sent there, and NotPosted if there is no such host."""
        async with _in_time():
            await self._resolve(parse_endpoint(url))

    async def post(self, posting: Posting) -> int:
        """Send it; answers the status. Raises ForbiddenAddress, NotPosted."""
        endpoint = parse_endpoint(posting.url)
        async with _in_time():
            addresses = await self._resolve(endpoint)
            return await _exchange(endpoint, addresses, _request(endpoint, posting))

    async def _resolve(self, endpoint: Endpoint) -> list[str]:
        """The host's addresses, all of which may be used."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotPosted(f"{endpoint.host} cannot be resolved: {error}") from None
        addresses = [str(address[0]) for *_, address in found]
        for address in addresses:
            self.allowed.check(endpoint.host, address)
        return addresses


@contextlib.asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            yield
    except TimeoutError:
        raise NotPosted(f"no answer within {TIMEOUT_S:.0f} s") from None


async def _exchange(endpoint: Endpoint, addresses: Sequence[str], request: bytes) -> int:
    reader, writer = await _connect(endpoint, addresses)
    try:
        writer.write(request)
        await writer.drain()
        status = await _read_status(reader)
        await _finish(reader)
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise NotPosted(f"{endpoint.authority} broke off: {error}") from None
    finally:
        writer.transport.abort()
    return status


async def _connect(endpoint: Endpoint, addresses: Sequence[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    tls = _tls_context() if endpoint.is_encrypted else None
    name = endpoint.host if endpoint.is_encrypted else None
    failures = []
    for address in addresses:
        try:
            return await asyncio.open_connection(address, endpoint.port, ssl=tls, server_hostname=name)
        except OSError as error:
            failures.append(str(error))
    raise NotPosted(f"{endpoint.authority} cannot be connected to: {'; '.join(failures)}")


async def _read_status(reader: asyncio.StreamReader) -> int:
    """The final status: interim answers are passed over."""
    while True:
        found = _STATUS_LINE.fullmatch(await reader.readuntil(b"\n"))
        if found is None:
            raise ValueError("its answer is not HTTP/1.1")
        status = int(found[1])
        if status >= 200:
            return status
        await reader.readuntil(b"\r\n\r\n")


async def _finish(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_REST_S):
            rest = _REST_BYTES_MAX
            while rest > 0 and (piece := await reader.read(rest)):
                rest -= len(piece)


def _request(endpoint: Endpoint, posting: Posting) -> bytes:
    body = posting.body.encode()
    fields = {"Host": endpoint.authority, "Connection": "close", "Content-Length": str(len(body)), **posting.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {endpoint.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
