"""Who may do what, on two gateway workers: a user that may invoke one endpoint and nothing else, keys and policies that
are withdrawn, and the door for callers that cannot sign."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from moorage.cli.main import main
from moorage.testing.deployment import Deployer
from moorage.testing.load import run_for
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage

pytestmark = pytest.mark.slow

CLIENTS = 12
"""As many connections, so that hardly ever all are with one worker: once in two thousand times."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("permissions") / "data")
    server.start()
    deployer = Deployer(server)
    for name in ("iris", "other"):
        assert "InService" == deployer.deploy(name, echo_archive(name))
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def iam(server: RunningMoorage) -> Any:
    return server.client("iam")


def arn_of(server: RunningMoorage, name: str) -> str:
    described = server.client("sagemaker").describe_endpoint(EndpointName="iris")
    return str(described["EndpointArn"]).replace("endpoint/iris", f"endpoint/{name}")


def add_user(server: RunningMoorage, name: str, *, endpoint: str = "iris") -> dict[str, Any]:
    """A user that may invoke one endpoint; its key."""
    iam = server.client("iam")
    iam.create_user(UserName=name)
    allow = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn_of(server, endpoint)}
    document = json.dumps({"Version": "2012-10-17", "Statement": allow})
    iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=document)
    key: dict[str, Any] = iam.create_access_key(UserName=name)["AccessKey"]
    return key


def error_of(call: Callable[..., Any], **params: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def outcome(client: Any, endpoint: str = "iris") -> str:
    """What an invocation answers: the model's word, or the error's code."""
    try:
        return str(client.invoke_endpoint(EndpointName=endpoint, Body=b"x")["Body"].read().decode())
    except ClientError as error:
        return str(error.response["Error"]["Code"])


def outcomes(clients: list[Any]) -> set[str]:
    """What all of them get at one time."""
    with ThreadPoolExecutor(len(clients)) as pool:
        return set(pool.map(outcome, clients))


def test_a_narrow_user_may_invoke_one_endpoint_and_nothing_else(server: RunningMoorage) -> None:
    key = add_user(server, "narrow")
    runtime = server.client("sagemaker-runtime", key=key)
    assert "iris" == outcome(runtime)
    for name in ("other", "missing"):
        assert (403, "AccessDeniedException") == error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    stream = runtime.invoke_endpoint_with_response_stream
    assert (403, "AccessDeniedException") == error_of(stream, EndpointName="iris", Body=b"x")
    elsewhere = server.client("sagemaker-runtime", key=key, region="eu-west-1")
    assert (403, "AccessDeniedException") == error_of(elsewhere.invoke_endpoint, EndpointName="iris", Body=b"x")

    sagemaker = server.client("sagemaker", key=key)
    assert (400, "AccessDeniedException") == error_of(sagemaker.describe_endpoint, EndpointName="iris")
    assert (400, "AccessDeniedException") == error_of(sagemaker.delete_endpoint, EndpointName="iris")
    assert (400, "AccessDeniedException") == error_of(sagemaker.list_endpoints)
    assert (403, "AccessDenied") == error_of(server.client("s3", key=key).list_objects_v2, Bucket="models")
    put = server.client("s3", key=key).put_object
    assert (403, "AccessDenied") == error_of(put, Bucket="models", Key="iris.tar.gz", Body=b"x" * 100_000)
    assert (403, "AccessDenied") == error_of(server.client("iam", key=key).create_access_key)
    assert (400, "AccessDeniedException") == error_of(
        server.client("moorage", key=key).create_bearer_key, EndpointName="iris"
    )
    assert server.client("sts", key=key).get_caller_identity()["Arn"].endswith(":user/narrow")


def test_what_is_withdrawn_is_refused_by_every_worker_when_the_call_is_answered(
    server: RunningMoorage, iam: Any
) -> None:
    key = add_user(server, "leaving")
    named = {"UserName": "leaving", "AccessKeyId": key["AccessKeyId"]}
    clients = [server.client("sagemaker-runtime", key=key) for _ in range(CLIENTS)]
    for _ in range(3):
        assert {"iris"} == outcomes(clients)
        iam.update_access_key(**named, Status="Inactive")
        assert {"UnrecognizedClientException"} == outcomes(clients)
        iam.update_access_key(**named, Status="Active")
    assert {"iris"} == outcomes(clients)
    iam.delete_user_policy(UserName="leaving", PolicyName="invoke")
    assert {"AccessDeniedException"} == outcomes(clients)
    iam.attach_user_policy(UserName="leaving", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    assert {"iris"} == outcomes(clients)
    iam.delete_access_key(**named)
    assert {"UnrecognizedClientException"} == outcomes(clients)


def test_permissions_outlive_the_processes(server: RunningMoorage) -> None:
    key = add_user(server, "staying", endpoint="other")
    server.restart()
    runtime = server.client("sagemaker-runtime", key=key)
    assert ("other", "AccessDeniedException") == (outcome(runtime, "other"), outcome(runtime, "iris"))


def post(server: RunningMoorage, name: str, authorization: str | None, *, body: bytes = b"x") -> tuple[int, str, bytes]:
    """An invocation as curl sends it: status, the WWW-Authenticate header, body."""
    connection = http.client.HTTPConnection(urlsplit(server.endpoint_url).netloc, timeout=10)
    headers = {"Content-Type": "text/plain"} | ({"Authorization": authorization} if authorization else {})
    try:
        connection.request("POST", f"/endpoints/{name}/invocations", body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("WWW-Authenticate", ""), answer.read()
    finally:
        connection.close()


def test_a_bearer_key_invokes_its_endpoint_until_it_is_revoked(server: RunningMoorage) -> None:
    moorage = server.client("moorage")
    assert 401 == post(server, "iris", "Bearer moorage-anything")[0]
    made = moorage.create_bearer_key(EndpointName="iris")
    bearer = f"Bearer {made['Key']}"
    for _ in range(CLIENTS):
        assert (200, "", b"iris") == post(server, "iris", bearer)
    for name in ("other", "missing"):
        assert (401, 'Bearer error="invalid_token"') == post(server, name, bearer)[:2]
    assert 413 == post(server, "iris", bearer, body=b"x" * 6_291_457)[0]
    assert 403 == post(server, "iris", None)[0]
    moorage.delete_bearer_key(EndpointName="iris", KeyId=made["KeyId"])
    for _ in range(CLIENTS):
        assert 401 == post(server, "iris", bearer)[0]


def keys_command(server: RunningMoorage, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments, "--data-dir", str(server.data_dir)])


def test_the_command_makes_lists_and_revokes_keys(server: RunningMoorage) -> None:
    made = keys_command(server, "create", "iris", "--description", "the web shop")
    bearer = f"Bearer {made.stdout.strip()}"
    assert 200 == post(server, "iris", bearer)[0]
    listed = keys_command(server, "list", "iris").stdout
    assert "the web shop" in listed
    (key_id,) = re.findall(r"bk-\w+", listed)
    assert f"moorage keys revoke iris {key_id} --data-dir {server.data_dir}" in made.stderr
    assert made.stdout.strip() not in listed
    assert f"Revoked {key_id}.\n" == keys_command(server, "revoke", "iris", key_id).stdout
    assert "iris has no keys.\n" == keys_command(server, "list", "iris").stdout
    assert 401 == post(server, "iris", bearer)[0]
    again = keys_command(server, "revoke", "iris", key_id)
    assert (1, f"Error: ResourceNotFound: Endpoint iris has no bearer key {key_id}.\n") == (
        again.exit_code,
        again.stderr,
    )


async def test_changes_of_users_fail_no_request_of_others(server: RunningMoorage) -> None:
    iam = server.client("iam")

    def change() -> None:
        key = add_user(server, "busy")
        for status in ("Inactive", "Active") * 10:
            iam.update_access_key(UserName="busy", AccessKeyId=key["AccessKeyId"], Status=status)

    report = await run_for(server.target("iris"), rate=200, seconds=1, connections=8, meanwhile=change)
    assert report.samples
    assert [] == report.failures


def test_a_namesake_of_a_deleted_endpoint_does_not_take_its_keys(server: RunningMoorage) -> None:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("brief", echo_archive("brief"))
    bearer = f"Bearer {server.client('moorage').create_bearer_key(EndpointName='brief')['Key']}"
    assert 200 == post(server, "brief", bearer)[0]
    deployer.sagemaker.delete_endpoint(EndpointName="brief")
    assert "Deleted" == deployer.settled("brief")
    deployer.sagemaker.create_endpoint(EndpointName="brief", EndpointConfigName="brief")
    assert "InService" == deployer.settled("brief")
    assert "brief" == outcome(server.client("sagemaker-runtime"), "brief")
    assert 401 == post(server, "brief", bearer)[0]
