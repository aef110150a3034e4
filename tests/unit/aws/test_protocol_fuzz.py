"""Whatever arrives, the protocols answer it or refuse it with a ServiceError, and every refusal can be encoded."""

import contextlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.protocols import decode, encode_error

FIELD = st.text(st.characters(max_codepoint=255), max_size=20)
HEADERS = st.sampled_from(
    [
        [("X-Amz-Target", "SageMaker.CreateEndpointConfig")],
        [("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData")],
        [("smithy-protocol", "rpc-v2-cbor")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Host", "bucket.s3.localhost")],
        [],
    ]
)
PATHS = st.sampled_from(
    ["/", "/b", "/b/k", "/endpoints/e/invocations", "/service/GraniteServiceVersion20100801/operation/PutMetricData"]
)
QUERIES = st.sampled_from(["", "delete", "tagging", "uploads", "uploadId=1", "versioning", "list-type=2"])
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b'{"EndpointConfigName":"c","ProductionVariants":[{"VariantName":"v","InitialInstanceCount":1}]}',
            b"Action=CreateRole&Version=2010-05-08&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v",
            b"<Delete><Object><Key>k</Key></Object><Quiet>true</Quiet></Delete>",
            b"\xa1\x69Namespace\x61N",
        ]
    ),
)


def _mutated(body: bytes, seed: int) -> bytes:
    """`body` with a few bytes changed, left out or doubled."""
    rng = random.Random(seed)
    pieces = bytearray(body)
    for _ in range(rng.randint(0, 3)):
        if not pieces:
            break
        at = rng.randrange(len(pieces))
        pieces[at : at + rng.randint(0, 2)] = rng.choice([b"", bytes([rng.randrange(256)]), pieces[at : at + 1] * 2])
    return bytes(pieces)


@settings(max_examples=400, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]),
    path=st.one_of(PATHS, FIELD),
    query=st.one_of(QUERIES, FIELD),
    headers=HEADERS,
    extra=st.lists(
        st.tuples(st.sampled_from(["Authorization", "X-Amz-Meta-A", "Range", "Expires"]), FIELD), max_size=2
    ),
    body=BODIES,
    seed=st.integers(0, 2**32),
)
def test_nothing_but_a_service_error_is_ever_raised(
    method: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    extra: list[tuple[str, str]],
    body: bytes,
    seed: int,
) -> None:
    request = HttpRequest(method, path, query, Headers([*headers, *extra]), _mutated(body, seed))
    refused = ServiceError("InternalFailure", "No.")
    with contextlib.suppress(ServiceError):
        decode(request, request_id="r")

    response = encode_error(refused, request, request_id="r")

    assert 500 == response.status
