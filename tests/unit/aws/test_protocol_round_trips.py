"""Every operation of every service, both ways, with botocore as the oracle: it serialises and we decode, we encode and
it parses. Values are drawn from the shapes with a seed; a failure names service, protocol, operation and seed."""

import enum
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from shape_values import ShapeValues, difference, same

from moorage.aws import services
from moorage.aws.call import Call, Protocol
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import detect, encode, encode_error
from moorage.aws.protocols.formats import FORMATS

SPOKEN = [(entry.name, protocol) for entry in services.ENTRIES for protocol in entry.protocols]
SEEDS = (0, 1)
TWINS = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "ListDirectoryBuckets": "ListBuckets",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}
"""Operations that share method, path and query with another: all but the last retired."""


class Side(enum.Enum):
    REQUEST = enum.auto()
    ANSWER = enum.auto()


def serialised(operation: OperationModel, protocol: Protocol, params: Mapping[str, Any]) -> HttpRequest:
    """The request as botocore would send it, signed for the service in name only."""
    serializer = create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    request.setdefault("context", {})
    prepare_request_dict(request, "http://127.0.0.1:8080")
    prepared = create_request_object(request).prepare()
    url = urlsplit(prepared.url)
    signing_name = operation.service_model.signing_name
    scope = f"AWS4-HMAC-SHA256 Credential=AK/20261121/us-east-1/{signing_name}/aws4_request, SignedHeaders=host"
    headers = [
        (name, value if isinstance(value, str) else value.decode())
        for name, value in prepared.headers.items()
        if name != "Content-Length" or "ContentLength" in params
    ]
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    return HttpRequest(prepared.method, url.path, url.query, Headers([*headers, ("Authorization", scope)]), body)


def parsed(response: HttpResponse, protocol: Protocol, shape: Any) -> dict[str, Any]:
    """What botocore makes of our answer."""
    headers = HeadersDict(dict(response.headers.items()))
    body: Any = response.body
    if shape and shape.serialization.get("payload") and _is_streaming(shape):
        body = _Stream(response.body)
    found: dict[str, Any] = create_parser(protocol).parse(
        {"status_code": response.status, "headers": headers, "body": body}, shape
    )
    return found


class _Stream:
    """Keeps botocore's parser from reading a streaming body as text."""

    def __init__(self, body: Any) -> None:
        self.body = body


def _is_streaming(shape: Any) -> bool:
    return shape.members[shape.serialization["payload"]].type_name == "blob"


async def _read(params: dict[str, Any]) -> dict[str, Any]:
    return {
        name: b"".join([chunk async for chunk in value]) if isinstance(value, AsyncIterator) else value
        for name, value in params.items()
    }


def _values(service: str, protocol: Protocol, operation: str, seed: int, side: Side) -> ShapeValues:
    return ShapeValues(
        f"{service}/{protocol}/{operation}/{seed}",
        sparse=(0.7, 0.2)[seed % 2],
        says_empty=protocol not in (Protocol.QUERY, Protocol.REST_XML),
        # Botocore's JSON parser leaves "NaN" and "Infinity" as the text they are.
        says_infinite=not (side is Side.ANSWER and protocol is Protocol.JSON),
    )


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
async def test_what_botocore_serialises_decodes_to_the_same_parameters(name: str, protocol: Protocol) -> None:
    service = services.service(name)
    for operation_name in service.operation_names:
        operation = service.operation_model(operation_name)
        for seed in SEEDS:
            drawn = _values(name, protocol, operation_name, seed, Side.REQUEST)
            params = drawn.structure(operation.input_shape) if operation.input_shape else {}
            request = serialised(operation, protocol, params)

            target = detect(request)

            assert protocol is target.protocol
            assert target.operation is not None
            assert TWINS.get(operation_name, operation_name) == target.operation.name
            found = await _read(FORMATS[protocol].decode(request, target.operation))
            if operation_name not in TWINS:
                sent = _sent(operation, params)
                assert same(sent, found), (operation_name, seed, difference(sent, found))


def _sent(operation: OperationModel, params: dict[str, Any]) -> dict[str, Any]:
    """`params` as the wire can tell them: an absent blob payload is an empty one."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape else None
    if payload and payload not in params and shape.members[payload].type_name == "blob":
        return {**params, payload: b""}
    return params


def _answered(shape: Any, output: dict[str, Any]) -> dict[str, Any]:
    """`output` as botocore's parser tells it: an absent payload or map of header fields is an empty one."""
    if shape is None:
        return output
    payload = shape.serialization.get("payload")
    absent = {name: {} for name, member in shape.members.items() if member.serialization.get("location") == "headers"}
    if payload:
        absent[payload] = {"structure": {}, "string": "", "blob": b""}[shape.members[payload].type_name]
    return {**absent, **output}


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_what_we_encode_botocore_parses_to_the_same_output(name: str, protocol: Protocol) -> None:
    service = services.service(name)
    for operation_name in service.operation_names:
        operation = service.operation_model(operation_name)
        shape = operation.output_shape
        for seed in SEEDS:
            output = _values(name, protocol, operation_name, seed, Side.ANSWER).structure(shape) if shape else {}
            output.pop("EncodingType", None)  # it has keys url-encoded, which botocore's parser leaves to others
            request = HttpRequest("POST", "/", "", Headers())
            call = Call(request, "request-1", protocol, service, operation, {})
            if operation_name in ("GetBucketLocation", *TWINS) or (shape and shape.event_stream_name):
                continue

            found = parsed(encode(output, call), protocol, shape)

            found.pop("ResponseMetadata", None)
            found = {key: value.body if isinstance(value, _Stream) else value for key, value in found.items()}
            told = _answered(shape, output)
            assert same(told, found), (operation_name, seed, difference(told, found))


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_botocore_reads_code_and_message_of_every_modelled_error(name: str, protocol: Protocol) -> None:
    service = services.service(name)
    operation = service.operation_model(service.operation_names[0])
    request = serialised(operation, protocol, ShapeValues("errors", sparse=0.0).structure(operation.input_shape))
    for shape in service.error_shapes:
        response = encode_error(ServiceError(shape.name, "Ünglück <1>"), request, request_id="request-1")

        found = parsed(response, protocol, None)

        assert "Ünglück <1>" == found["Error"]["Message"], shape.name
        assert found["Error"]["Code"] in (shape.name, shape.error_code)
        assert "request-1" == found["ResponseMetadata"]["RequestId"]
        assert shape.metadata.get("error", {}).get("httpStatusCode", 400) == response.status
