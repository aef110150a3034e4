"""One client's connection: requests in, answers out, one at a time and in order.

Requests that a client sends ahead wait unparsed in `_ahead`, so at most one is being handled and what is held stays
bounded. A connection is in one of five moments: between requests, within a head, collecting a small body (it is handed
over whole), answering (a large body may still be arriving), or leaving (the answer is written; the peer is read and
ignored until it has seen it).
"""

from __future__ import annotations

import asyncio
from typing import cast

from moorage.wire import encoding
from moorage.wire.body import Body
from moorage.wire.framing import Decoder, request_decoder
from moorage.wire.heads import HeadBuffer, parse_request
from moorage.wire.messages import Disconnected, Refused
from moorage.wire.replying import Owner, Replying
from moorage.wire.request import ServerRequest

_EXPECTATIONS = (None, b"100-continue")
_UNEXPECTED = Refused(417, "only 100-continue can be expected")
# So many requests that a client has sent ahead are taken up in one turn of the loop; then it is the others' turn.
_SERVED_AT_ONCE = 16
_OVERLOADED = Refused(503, "too many bodies are on their way at once")


class ServerConnection(Replying):
    """The protocol of one accepted socket."""

    __slots__ = (
        "_ahead",
        "_begin_request",
        "_body_bytes",
        "_body_since",
        "_collecting",
        "_decoder",
        "_heads",
        "_held_bytes",
        "_reading",
        "_serving",
    )

    def __init__(self, server: Owner) -> None:
        super().__init__(server)
        self._begin_request = server.begin
        self._heads = HeadBuffer(server.limits.head_bytes)
        self._collecting: ServerRequest | None = None
        """A request whose body is still being collected."""
        self._decoder: Decoder | None = None
        self._body_since = 0.0
        self._body_bytes = 0
        self._ahead = b""
        self._held_bytes = 0
        """This connection's part of the server's `held_bytes`."""
        self._serving = False
        self._reading = True

    # -- what the transport says --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._server.admit(self):
            self._refuse(Refused(503, "there are too many connections"))
            return
        self._deadline.set(self._limits.head_s)

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        if self._decoder is not None:
            data = self._feed_body(data)
            if not data:
                return
        if self._request is None:
            self._serve(data)
        elif self._request.has_arrived and self._request.keep_alive:
            self._ahead += data
            self._pace_reading()
            if self._server.held_bytes > self._limits.held_bytes:
                self._drop_ahead(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leaving = True
        self._deadline.cancel()
        self._account(0)
        self._collecting = None
        if self._request is not None and self._request.body is not None:
            self._request.body.fail(Disconnected("the client went away"))
        if self._cancellable is not None:
            self._cancellable.cancel()
        self._give_up_sending()
        self._server.forget(self)

    # -- what the server says -----------------------------------------------------------------------------------------

    def retire(self, idle_s: float) -> None:
        """Close after the next answer, which says so; a connection that rests is closed when it has for `idle_s`.

        At once would cut off a client that is sending a request just now.
        """
        if self._leaving or self._request is not None or self._collecting is not None or self._heads or self._ahead:
            return
        if idle_s > 0:
            self._deadline.set(idle_s)
        else:
            self._transport.close()

    # -- a request comes in -------------------------------------------------------------------------------------------

    def _serve(self, data: bytes) -> None:
        """Take up the requests in `data`, one after another: a loop, since many may be answered at once."""
        self._serving = True
        left = _SERVED_AT_ONCE
        while data and self._request is None and not self._leaving:
            if not left:
                self._serve_later(data)
                break
            left -= 1
            self._ahead = b""
            self._read_head(data)
            data = b"" if self.is_handling else self._ahead
        self._serving = False

    def _serve_later(self, data: bytes) -> None:
        self._ahead = data
        self._pause_reading()
        self._loop.call_soon(self._serve_ahead)

    def _serve_ahead(self) -> None:
        if not self._leaving:
            self._serve(self._take_ahead())

    def _keep_ahead(self, request: ServerRequest, ahead: bytes) -> None:
        """Keep what the client has sent behind a request, which is nothing to us if that is its last."""
        self._ahead = ahead if request.keep_alive else b""
        self._pace_reading()

    def _drop_ahead(self, request: ServerRequest) -> None:
        """There is no room for what the client sends ahead: it may send it again, on another connection."""
        request.keep_alive = False
        self._ahead = b""
        self._pace_reading()

    def _read_head(self, data: bytes) -> None:
        begun = bool(self._heads)
        found: tuple[bytes, bytes] | None = None
        try:
            found = self._heads.feed(data)
            if found is None:
                if not begun:
                    self._deadline.set(self._limits.head_s)
                return
            request = parse_request(found[0], self._limits)
            self._take(request, found[1])
        except Refused as refused:
            self._refuse(refused, found[0] if found is not None else self._heads.part or data)

    def _take(self, request: ServerRequest, rest: bytes) -> None:
        length = request.content_length
        if request.expect is not None and request.expect not in _EXPECTATIONS and length != 0:
            raise _UNEXPECTED  # whether the client now sends its body is anybody's guess
        if length is None or length > len(rest):
            self._take_part(request, rest)
            return
        if length == len(rest):
            request.content = rest
        else:
            request.content = rest[:length]
            self._keep_ahead(request, rest[length:])
        self._deadline.lift()
        self._hand_over(request)

    def _take_part(self, request: ServerRequest, rest: bytes) -> None:
        """Begin to read a body of which the end is not here yet."""
        length = request.content_length
        body = Body(
            self._loop,
            on_taken=self._pace_reading,
            on_read=self._send_continue if request.expect is not None and not rest else None,
        )
        request.body = body
        decoder = request_decoder(length, bytes_max=self._limits.body_bytes)
        pieces, ahead = decoder.feed(rest) if rest else ([], b"")
        body.put(pieces, complete=decoder.done)
        if decoder.done:
            self._keep_ahead(request, ahead)
            self._deadline.lift()
            self._hand_over(request)
            return
        self._decoder = decoder
        self._body_since = self._loop.time()
        self._body_bytes = 0
        self._deadline.set(self._limits.body_s)
        if length is not None and length <= self._limits.window_bytes and request.expect is None:
            self._collecting = request
        else:
            self._hand_over(request)
        self._pace_reading()

    def _feed_body(self, data: bytes) -> bytes:
        """Hand on what belongs to the body; the rest."""
        request = self._collecting or self._request
        assert self._decoder is not None
        assert request is not None
        assert request.body is not None
        try:
            pieces, rest = self._decoder.feed(data)
        except Refused as refused:
            self._break_body(refused)
            return b""
        self._body_bytes += len(data) - len(rest)
        if not self._decoder.done:
            request.body.put(pieces, complete=False)
            self._pace_reading()
            if self._server.held_bytes > self._limits.held_bytes:
                request.body.drop()
                self._break_body(_OVERLOADED)
            return rest
        self._decoder = None
        if self._drained is None:
            self._deadline.lift()
        request.body.put(pieces, complete=True)
        if self._collecting is None:
            self._pace_reading()
            return rest
        self._collecting = None
        self._keep_ahead(request, rest)
        request.content = request.body.whole()
        self._hand_over(request)
        return self._take_ahead()

    def _break_body(self, refused: Refused) -> None:
        """The rest of the body is of no use: its reader is told, and nothing more is read as a request."""
        self._decoder = None
        request = self._collecting or self._request
        if request is not None and request.body is not None:
            request.body.fail(refused)
        if self._collecting is not None:
            self._collecting = None
            self._hand_over(cast(ServerRequest, request))

    def _send_continue(self) -> None:
        if self._sender is None and not self._leaving and not self._transport.is_closing():
            self._transport.write(encoding.CONTINUE)

    def _pace_reading(self) -> None:
        """Read on unless the window is full; to be called whenever what is held has changed."""
        request = self._request or self._collecting
        held = unfinished = len(self._ahead)
        if request is not None and request.body is not None:
            held += request.body.held_bytes
            if not request.body.complete:
                unfinished = held + request.body.kept_bytes
        self._account(unfinished)
        if held > self._limits.window_bytes:
            self._pause_reading()
        elif not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    def _pause_reading(self) -> None:
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def _account(self, held_bytes: int) -> None:
        self._server.held_bytes += held_bytes - self._held_bytes
        self._held_bytes = held_bytes

    # -- an answer goes out -------------------------------------------------------------------------------------------

    def _hand_over(self, request: ServerRequest) -> None:
        self._request = request
        if request.expect is not None and request.expect not in _EXPECTATIONS:
            self.respond(self._server.render(_UNEXPECTED))
            return
        cancellable = self._begin_request(request, self)
        if self._request is request:
            self._cancellable = cancellable

    def _finish(self, *, keep: bool) -> None:
        request, self._request = self._request, None
        self._sender = None
        if self._leaving:
            return
        if not keep or request is None or not request.has_arrived:
            self._leave()
            return
        if self._ahead:
            if not self._serving:
                self._serve(self._take_ahead())
            return
        if self._held_bytes or not self._reading:
            self._pace_reading()
        self._deadline.set(self._server.idle_s)

    def _take_ahead(self) -> bytes:
        if self._request is not None:
            return b""
        ahead, self._ahead = self._ahead, b""
        self._pace_reading()
        return ahead

    # -- the end ------------------------------------------------------------------------------------------------------

    def _refuse(self, refused: Refused, head: bytes = b"") -> None:
        """Answer what is not taken, of which `head` is all or the beginning."""
        answer = self._server.render(refused)
        body = cast(bytes, answer.body)
        framing = b"content-length: %d\r\nconnection: close\r\n" % len(body)
        sent = b"" if head.lstrip(b"\r\n").startswith(b"HEAD ") else body
        self._transport.write(encoding.response(answer.status, answer.headers, framing, sent))
        self._leave()

    def _leave(self) -> None:
        """End our side, and close when the peer has ended its own, or after a moment.

        Closing while bytes of the peer are on their way would reset the connection, and the peer lose the answer.
        """
        self._leaving = True
        self._ahead = b""
        self._pace_reading()
        if not self._transport.is_closing():
            is_sent = self._transport.get_write_buffer_size() == 0
            try:
                self._transport.write_eof()
            except OSError:  # the peer was gone already, and its kernel has said so to the answer
                self._transport.abort()
            else:
                self._deadline.set(self._limits.linger_s if is_sent else self._limits.body_s)

    def _after_draining(self) -> None:
        if self._decoder is not None:
            self._time_body()

    def _expire(self) -> None:
        if self._leaving or self._drained is not None:
            self._transport.abort()
        elif self._decoder is not None:
            self._time_body()
        elif self._heads:
            self._refuse(Refused(408, "the head did not arrive in time"), self._heads.part)
        elif self._request is None:
            self._transport.close()

    def _time_body(self) -> None:
        """Time a body by its average rate, and not while it is us who do not read it."""
        allowed_s = self._limits.body_s + self._body_bytes / self._limits.body_rate
        left_s = allowed_s - (self._loop.time() - self._body_since)
        if not self._reading:
            self._deadline.set(self._limits.body_s)
        elif left_s > 0:
            self._deadline.set(left_s)
        else:
            self._break_body(Refused(408, "the body did not arrive in time"))
