"""One port, ten services, five protocols: each request finds its operation."""

import pytest

from moorage.aws import services
from moorage.aws.call import Protocol
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.protocols import detect

FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")


def signed(service: str) -> tuple[str, str]:
    scope = f"Credential=AKIA/20261121/eu-west-1/{service}/aws4_request"
    return ("Authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")


def request(line: str, *headers: tuple[str, str], body: bytes = b"") -> HttpRequest:
    method, target = line.split(" ")
    path, _, query = target.partition("?")
    return HttpRequest(method, path, query, Headers(list(headers)), body)


PRESIGNED_STS = (
    "GET /?Action=GetCallerIdentity&Version=2011-06-15"
    "&X-Amz-Credential=AKIA%2F20261121%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Signature=0"
)
CASES = [
    (request("POST /", ("X-Amz-Target", "SageMaker.CreateEndpoint")), "json", "sagemaker", "CreateEndpoint"),
    (request("POST /", ("x-amz-target", "Logs_20140328.FilterLogEvents")), "json", "logs", "FilterLogEvents"),
    (request("POST /", ("X-Amz-Target", "SageMaker.Nonsense")), "json", "sagemaker", None),
    (request("POST /", ("X-Amz-Target", "DynamoDB_20120810.GetItem")), "json", None, None),
    (request("POST /", ("X-Amz-Target", "")), "json", None, None),
    (
        request("POST /", ("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics"), signed("monitoring")),
        "json",
        "cloudwatch",
        "ListMetrics",
    ),
    (
        request(
            "POST /service/GraniteServiceVersion20100801/operation/ListMetrics", ("smithy-protocol", "rpc-v2-cbor")
        ),
        "smithy-rpc-v2-cbor",
        "cloudwatch",
        "ListMetrics",
    ),
    (
        request("POST /", FORM, signed("monitoring"), body=b"Action=ListMetrics&Version=2010-08-01"),
        "query",
        "cloudwatch",
        "ListMetrics",
    ),
    (request("POST /", FORM, signed("iam"), body=b"Version=x&Action=GetRole"), "query", "iam", "GetRole"),
    (request("POST /", FORM, body=b"Action=GetRole&Version=2010-05-08"), "query", "iam", "GetRole"),
    (request("POST /", FORM, signed("iam")), "query", "iam", None),
    (request("POST /", FORM, signed("ec2"), body=b"Action=RunInstances&Version=2016-11-15"), "query", None, None),
    (request(PRESIGNED_STS), "query", "sts", "GetCallerIdentity"),
    (request("POST /endpoints/e/invocations", signed("sagemaker")), "rest-json", "sagemaker-runtime", "InvokeEndpoint"),
    (request("POST /endpoints/e/invocations"), "rest-json", "sagemaker-runtime", "InvokeEndpoint"),
    (request("GET /endpoints/e/invocations"), "rest-json", "sagemaker-runtime", None),
    (request("GET /endpoints/e/invocations", signed("s3")), "rest-xml", "s3", "GetObject"),
    (request("POST /", signed("logs")), "json", None, None),
    (request("POST /2015-03-31/functions", signed("lambda")), "rest-json", None, None),
    (request("GET /"), "rest-xml", "s3", "ListBuckets"),
    (request("GET /b?AWSAccessKeyId=AKIA&Expires=1&Signature=x"), "rest-xml", "s3", "ListObjects"),
    (request("GET /b?list-type=2&prefix="), "rest-xml", "s3", "ListObjectsV2"),
    (request("GET /b/?versioning"), "rest-xml", "s3", "GetBucketVersioning"),
    (request("GET /b?location="), "rest-xml", "s3", "GetBucketLocation"),
    (request("GET /b?uploads"), "rest-xml", "s3", "ListMultipartUploads"),
    (request("GET /b?lifecycle"), "rest-xml", "s3", "GetBucketLifecycleConfiguration"),
    (request("GET /b?unheard-of"), "rest-xml", "s3", "ListObjects"),
    (request("POST /b?delete"), "rest-xml", "s3", "DeleteObjects"),
    (request("POST /b"), "rest-xml", "s3", None),
    (request("POST /b/k?uploads"), "rest-xml", "s3", "CreateMultipartUpload"),
    (request("POST /b/k?uploadId=u"), "rest-xml", "s3", "CompleteMultipartUpload"),
    (request("PUT /b/k?partNumber=1&uploadId=u&x-id=UploadPart"), "rest-xml", "s3", "UploadPart"),
    (
        request("PUT /b/k?partNumber=1&uploadId=u", ("x-amz-copy-source", "/b/j")),
        "rest-xml",
        "s3",
        "UploadPartCopy",
    ),
    (request("PUT /b/k", ("X-Amz-Copy-Source", "/b/j")), "rest-xml", "s3", "CopyObject"),
    (request("PUT /b/k?x-id=PutObject"), "rest-xml", "s3", "PutObject"),
    (request("PUT /b/k?tagging"), "rest-xml", "s3", "PutObjectTagging"),
    (request("GET /b/k?uploadId=u"), "rest-xml", "s3", "ListParts"),
    (request("DELETE /b/k?uploadId=u"), "rest-xml", "s3", "AbortMultipartUpload"),
    (request("DELETE /b/k?versionId=v"), "rest-xml", "s3", "DeleteObject"),
    (request("HEAD /b"), "rest-xml", "s3", "HeadBucket"),
    (request("HEAD /b/k"), "rest-xml", "s3", "HeadObject"),
    (request("GET /k", ("Host", "my.bucket.s3.localhost:8080")), "rest-xml", "s3", "GetObject"),
    (request("GET /", ("Host", "bucket.localhost:8080")), "rest-xml", "s3", "ListObjects"),
    (request("GET /", ("Host", "s3.localhost:8080")), "rest-xml", "s3", "ListBuckets"),
    (request("OPTIONS /b/k"), "rest-xml", "s3", None),
]


@pytest.mark.parametrize(("request_", "protocol", "service", "operation"), CASES)
def test_a_request_is_for(request_: HttpRequest, protocol: str, service: str | None, operation: str | None) -> None:
    target = detect(request_)

    assert protocol == target.protocol
    assert service == (target.service.service_name if target.service else None)
    assert operation == (target.operation.name if target.operation else None)


@pytest.mark.parametrize(
    ("request_", "streams"),
    [
        (request("PUT /b/k"), True),
        (request("PUT /b/k?partNumber=1&uploadId=u"), True),
        (request("PUT /b/k?tagging"), False),
        (request("PUT /b/k", ("x-amz-copy-source", "/b/j")), False),
        (request("POST /endpoints/e/invocations"), False),
        (request("POST /", ("X-Amz-Target", "SageMaker.CreateEndpoint")), False),
        (request("PATCH /b/k"), False),
    ],
)
def test_what_reads_its_body_itself_is_known_from_the_head(request_: HttpRequest, streams: bool) -> None:
    assert streams == detect(request_).streams_body


@pytest.mark.parametrize("entry", services.ENTRIES, ids=lambda entry: entry.name)
def test_the_table_of_services_says_what_the_models_say(entry: services.ServiceEntry) -> None:
    metadata = services.service(entry.name).metadata

    assert entry.signing_name == services.service(entry.name).signing_name
    assert entry.protocols == tuple(map(Protocol, metadata["protocols"]))
    if entry.target_prefix:
        assert entry.target_prefix == metadata["targetPrefix"]
    if entry.version:
        assert entry.version == metadata["apiVersion"]
    assert (entry.target_prefix is not None) == (Protocol.JSON in entry.protocols)
    assert (entry.version is not None) == (Protocol.QUERY in entry.protocols)
