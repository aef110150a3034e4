"""Constraints are refused in AWS's words."""

from typing import Any

import msgspec
import pytest

from moorage.aws import services
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.protocols import decode
from moorage.aws.validate import violations

NAME_PATTERN = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
VARIANT = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
CONFIG = "CreateEndpointConfig"
FIRST = "productionVariants.1.member"
ENVIRONMENT_KEY = (
    "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
    "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]"
)
TAG_KEY = (
    "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
    r"Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)]"
)


def config(*variants: dict[str, Any]) -> dict[str, Any]:
    return {"EndpointConfigName": "c", "ProductionVariants": list(variants)}


def at(path: str, value: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def found(operation: str, params: dict[str, Any], service: str = "sagemaker") -> list[str]:
    return [str(violation) for violation in violations(services.service(service).operation_model(operation), params)]


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("DescribeEndpoint", {"EndpointName": "good-name"}, []),
        (
            "DescribeEndpoint",
            {"EndpointName": "bad_name"},
            [at("endpointName", "'bad_name'", f"Member must satisfy regular expression pattern: {NAME_PATTERN}")],
        ),
        (
            "DescribeEndpoint",
            {"EndpointName": "x" * 64},
            [at("endpointName", f"'{'x' * 64}'", "Member must have length less than or equal to 63")],
        ),
        ("DescribeEndpoint", {}, [at("endpointName", "null", "Member must not be null")]),
        (
            CONFIG,
            config(),
            [at("productionVariants", "'[]'", "Member must have length greater than or equal to 1")],
        ),
        (
            CONFIG,
            config({**VARIANT, "InitialInstanceCount": 0}),
            [at(f"{FIRST}.initialInstanceCount", "'0'", "Member must have value greater than or equal to 1")],
        ),
        (
            CONFIG,
            config(VARIANT, {"ModelName": "m"}),
            [at("productionVariants.2.member.variantName", "null", "Member must not be null")],
        ),
        (
            CONFIG,
            config({**VARIANT, "InitialVariantWeight": float("nan")}),
            [at(f"{FIRST}.initialVariantWeight", "'NaN'", "Member must have value greater than or equal to 0")],
        ),
        (
            "ListEndpoints",
            {"SortOrder": "Up", "MaxResults": 101},
            [
                at("sortOrder", "'Up'", "Member must satisfy enum value set: [Ascending, Descending]"),
                at("maxResults", "'101'", "Member must have value less than or equal to 100"),
            ],
        ),
        (
            "CreateModel",
            {"ModelName": "m", "PrimaryContainer": {"Environment": {"1": "x"}}},
            [at("primaryContainer.environment", "'{1=x}'", f"Map keys must satisfy constraint: {ENVIRONMENT_KEY}")],
        ),
        (
            "DeleteTags",
            {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "TagKeys": ["ok", ""]},
            [at("tagKeys", "'[ok, ]'", f"Member must satisfy constraint: {TAG_KEY}")],
        ),
        (
            "AddTags",
            {
                "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m",
                "Tags": [{"Key": "владелец", "Value": "Zoë 7"}],
            },
            [],
        ),
    ],
)
def test_each_broken_constraint_is_told_as_aws_tells_it(
    operation: str, params: dict[str, Any], expected: list[str]
) -> None:
    assert expected == found(operation, params)


def test_sensitive_values_are_not_repeated() -> None:
    secret = {"Name": "n", "SecretString": ""}

    said = found("CreateSecret", secret, "secretsmanager")

    assert [
        "Value at 'secretString' failed to satisfy constraint: Member must have length greater than or equal to 1"
    ] == said


def test_no_more_than_a_hundred_violations_are_told() -> None:
    assert 100 == len(found(CONFIG, config(*[{**VARIANT, "InitialInstanceCount": 0}] * 500)))


def sagemaker(operation: str, body: bytes) -> HttpRequest:
    return HttpRequest("POST", "/", "", Headers([("X-Amz-Target", f"SageMaker.{operation}")]), body)


def test_several_violations_are_counted_and_joined() -> None:
    body = msgspec.json.encode({"EndpointConfigName": "_"})

    with pytest.raises(ServiceError) as caught:
        decode(sagemaker("CreateEndpoint", body), request_id="r")

    assert "ValidationException" == caught.value.code
    assert 400 == caught.value.status
    assert (
        "2 validation errors detected: "
        "Value null at 'endpointName' failed to satisfy constraint: Member must not be null; "
        "Value '_' at 'endpointConfigName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
    ) == caught.value.message


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"Action=GetRole&Version=2010-05-08", "ValidationError"),
        (b"Action=GetRole&Version=2010-05-08&RoleName=a%20b", "ValidationError"),
        (b"Action=ListRoles&Version=2010-05-08&MaxItems=many", "MalformedInput"),
        (b"Action=ListRoles&Version=2010-05-08&MaxItems.x=1", "MalformedInput"),
        (b"Action=NoSuch&Version=2010-05-08", "InvalidAction"),
        (b"Action=ListRoles&Version=1999-01-01", "InvalidAction"),
    ],
)
def test_query_services_refuse_by_codes_of_their_own(form: bytes, code: str) -> None:
    headers = Headers([("Content-Type", "application/x-www-form-urlencoded")])

    with pytest.raises(ServiceError) as caught:
        decode(HttpRequest("POST", "/", "", headers, form), request_id="r")

    assert code == caught.value.code


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The request body is not valid JSON."),
        (b'{"EndpointName": "\\ud800"}', "The request body is not valid JSON."),
        (b"[" * 100_000, "The request body is not valid JSON."),
        (b"[]", "Start of list found where not expected"),
        (b"7", "Unexpected field type"),
        (b'{"EndpointName": 7}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"EndpointName": true}', "TRUE_VALUE can not be converted to a String"),
        (b'{"EndpointName": {}}', "Start of structure or map found where not expected."),
        (b'{"EndpointName": "e", "Tags": "x"}', "Unexpected field type"),
        (b'{"EndpointName": "e", "Tags": [null]}', "NULL_VALUE can not be converted to a Structure"),
    ],
)
def test_a_body_that_is_not_what_the_operation_takes_is_a_serialization_error(body: bytes, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        decode(sagemaker("CreateEndpoint", body), request_id="r")

    assert ("SerializationException", message) == (caught.value.code, caught.value.message)


@pytest.mark.parametrize(
    ("params", "accepted"),
    [
        ({"MaxResults": 5.0}, True),
        ({"MaxResults": 5.5}, False),
        ({"MaxResults": "5"}, False),
        ({"MaxResults": True}, False),
        ({"MaxResults": 2**40}, False),
        ({"MaxResults": None}, True),
        ({"CreationTimeAfter": 1.5e9}, True),
        ({"CreationTimeAfter": "2026-11-21T00:00:00Z"}, True),
        ({"CreationTimeAfter": 1e300}, False),
        ({"CreationTimeAfter": "yesterday"}, False),
        ({"Unheard": {"Of": []}}, True),
    ],
)
def test_scalars_of_the_wrong_type_are_refused(params: dict[str, Any], accepted: bool) -> None:
    request = sagemaker("ListEndpoints", msgspec.json.encode(params))
    if accepted:
        assert "ListEndpoints" == decode(request, request_id="r").operation.name
        return
    with pytest.raises(ServiceError, match="SerializationException"):
        decode(request, request_id="r")
