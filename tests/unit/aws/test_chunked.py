"""Chunked bodies: cut anywhere they say the same, changed anywhere they are refused."""

from __future__ import annotations

import io
import itertools

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import assume, given
from hypothesis import strategies as st

from moorage.aws.authentication import AuthenticationError
from moorage.aws.authorization import parse_authorization
from moorage.aws.canonical import header_fields
from moorage.aws.chunked import ChunkedDecoder, SignatureChain
from moorage.aws.errors import ServiceError
from moorage.aws.sigv4 import signing_key
from moorage.testing.signing import SECRET, sign_streaming_upload, signed_chunks

URL = "http://127.0.0.1:4566/bucket/key"
TRAILER = "x-amz-checksum-crc32"


HEAD = sign_streaming_upload(URL)
AUTHORIZATION = parse_authorization(b"", header_fields(HEAD.headers))


def signed_body(chunks: list[bytes], trailer: str | None = None) -> bytes:
    return signed_chunks(HEAD, chunks, trailer=None if trailer is None else (TRAILER, trailer))


def make_decoder(length: int, *, trailer: bool = False, signed: bool = True) -> ChunkedDecoder:
    chain = SignatureChain(AUTHORIZATION, signing_key(SECRET, AUTHORIZATION.signing.scope)) if signed else None
    return ChunkedDecoder(length=length, trailer_names={TRAILER} if trailer else (), chain=chain)


def decode(decoder: ChunkedDecoder, body: bytes, cuts: list[int] = []) -> bytes:  # noqa: B006
    content = b""
    edges = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    for start, end in itertools.pairwise(edges):
        content += b"".join(decoder.feed(body[start:end]))
    decoder.close()
    return content


bodies = st.lists(st.binary(min_size=1, max_size=60), max_size=4)


@given(bodies, st.lists(st.integers(0, 1000), max_size=20), st.booleans())
def test_content_survives_any_cut(chunks: list[bytes], cuts: list[int], trailer: bool) -> None:
    content = b"".join(chunks)
    decoder = make_decoder(len(content), trailer=trailer)
    assert content == decode(decoder, signed_body(chunks, "AAAAAA==" if trailer else None), cuts)
    assert ([(TRAILER, "AAAAAA==")] if trailer else []) == decoder.trailers.items()


@given(bodies, st.booleans(), st.data())
def test_no_changed_byte_survives(chunks: list[bytes], trailer: bool, data: st.DataObject) -> None:
    body = signed_body(chunks, "AAAAAA==" if trailer else None)
    index = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = body[:index] + bytes([byte]) + body[index + 1 :]
    # White space and case do not count in the names of trailing fields, nor case in a chunk's size.
    assume(changed.lower().replace(b" ", b"").replace(b"\t", b"") != body.lower())
    with pytest.raises((AuthenticationError, ServiceError)):
        decode(make_decoder(len(b"".join(chunks)), trailer=trailer), changed)


@given(bodies, st.data())
def test_no_shortened_body_survives(chunks: list[bytes], data: st.DataObject) -> None:
    body = signed_body(chunks)
    kept = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ServiceError, match="IncompleteBody"):
        decode(make_decoder(len(b"".join(chunks))), body[:kept])


@given(st.binary(max_size=200), st.integers(1, 64))
def test_botocores_own_chunks_and_trailer_are_understood(content: bytes, chunk_size: int) -> None:
    wrapped = AwsChunkedWrapper(
        io.BytesIO(content), checksum_cls=Crc32Checksum, checksum_name=TRAILER, chunk_size=chunk_size
    )
    decoder = make_decoder(len(content), trailer=True, signed=False)
    assert content == decode(decoder, wrapped.read())
    assert Crc32Checksum().handle(content) == decoder.trailers.get(TRAILER)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\nx-other:1\r\n\r\n", "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:1\r\nx-amz-checksum-crc32:1\r\n\r\n", "MalformedTrailerError"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:1\r\n\r\nmore\r\n", "InvalidRequest"),
        (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:1\r\n\r\nmore", "IncompleteBody"),
        (b"6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:1\r\n\r\n", "IncompleteBody"),
        (b"4\r\nhell\r\n0\r\nx-amz-checksum-crc32:1\r\n\r\n", "IncompleteBody"),
        (b"5;chunk-signature=00\r\nhello\r\n", "InvalidRequest"),
        (b"-5\r\nhello\r\n", "InvalidRequest"),
        (b"5\r\nhelloXX\r\n", "InvalidRequest"),
        (b"0" * 2000, "InvalidRequest"),
        (b"ffffffffffffffffffff\r\n", "InvalidRequest"),
    ],
)
def test_bodies_out_of_shape_are_refused(body: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        decode(make_decoder(5, trailer=True, signed=False), body)
    assert code == caught.value.code


def test_a_signed_body_needs_signatures_throughout() -> None:
    with pytest.raises(ServiceError, match="InvalidRequest"):
        decode(make_decoder(5), b"5\r\nhello\r\n0\r\n\r\n")
    body = signed_body([b"hello"], "AAAAAA==")
    unsigned_trailer = body[: body.index(b"x-amz-trailer-signature")] + b"\r\n"
    with pytest.raises(AuthenticationError):
        decode(make_decoder(5, trailer=True), unsigned_trailer)
