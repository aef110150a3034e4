"""Model data in every form, as a container finds it, and how often it is fetched for that."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from moorage.testing.asgi_client import KEY_ID, SECRET
from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.models import SKLEARN_IMAGE, archive, script_archive
from moorage.testing.s3_server import running_s3
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

pytestmark = pytest.mark.slow

FORMS = {"archive": ("S3Object", "Gzip"), "object": ("S3Object", "None"), "prefix": ("S3Prefix", "None")}

LISTS_ITS_FILES = """
import json, os

def model_fn(folder):
    return folder

def found(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            yield os.path.relpath(path, folder), open(path).read()

def transform_fn(folder, data, content_type, accept):
    folders = {"model": folder}
    folders |= {name: path for name, path in os.environ.items() if name.startswith("SM_CHANNEL_")}
    return json.dumps({name: dict(found(path)) for name, path in folders.items()})
"""


class Reads:
    """What is asked of an S3 elsewhere."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, method: str, path: str) -> None:
        if method == "GET" and path.startswith("/lake/"):
            self.counts[path.removeprefix("/lake/")] += 1
            self.asked.set()
            self.may_answer.wait(60)


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def lake(tmp_path, reads):
    """An S3 elsewhere, with a model below a prefix."""
    with running_s3(tmp_path / "elsewhere", reads) as url:
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket="lake")
        client.put_object(Bucket="lake", Key="iris/weights.txt", Body=b"heavy")
        client.put_object(Bucket="lake", Key="iris/code/inference.py", Body=LISTS_ITS_FILES.encode())
        client.close()
        yield url
        reads.may_answer.set()


@pytest.fixture
def server(tmp_path, lake):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "moorage.toml").write_text(
        f'[external_s3]\nendpoint_url = "{lake}"\nregion = "us-east-1"\naddressing_style = "path"\n'
        f'access_key_id = "{KEY_ID}"\nsecret_access_key = "{SECRET}"\n'
    )
    server = RunningMoorage(tmp_path / "data")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


def s3_data(uri: str, form: str, **members: str) -> dict[str, dict[str, str]]:
    kind, compression = FORMS[form]
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression, **members}}


def make(deployer: Deployer, name: str, *, instances: int = 1, **container: object) -> None:
    deployer.sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": SKLEARN_IMAGE, **container}, ExecutionRoleArn=deployer.role_arn
    )
    deployer.config(name, name, instances=instances)


def answer(deployer: Deployer) -> dict[str, dict[str, str]]:
    """The endpoint's answer, once it has instances."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return json.loads(deployer.invoke("iris", b"{}"))
        except ClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def files(server: RunningMoorage) -> list[Path]:
    return list((server.data_dir / "archives").iterdir())


def test_an_uncompressed_prefix_elsewhere_serves_two_instances_after_one_download(server, reads):
    deployer = Deployer(server)
    make(deployer, "iris", instances=2, ModelDataSource=s3_data("s3://lake/iris/", "prefix"))
    assert "InService" == deployer.endpoint("iris")
    assert {"model": {"weights.txt": "heavy", "code/inference.py": LISTS_ITS_FILES}} == answer(deployer)
    assert (1, 1) == (reads.counts["iris/weights.txt"], reads.counts["iris/code/inference.py"])
    in_cache = {path.stat().st_ino for path in files(server)}
    in_use = {path.stat().st_ino for path in (server.data_dir / "models").rglob("*") if path.is_file()}
    assert 2 == len(in_cache)
    assert in_cache <= in_use, "the model's files are copies, not links"
    kill_for_good(server.pids("instance")[0])
    eventually(lambda: 2 == len(server.pids("instance")))
    server.stop()
    server.start()
    deployer = Deployer(server)
    assert {"model": {"weights.txt": "heavy", "code/inference.py": LISTS_ITS_FILES}} == answer(deployer)
    deployer.delete("iris")
    make(deployer, "iris", ModelDataSource=s3_data("s3://lake/iris/", "prefix"))
    assert "InService" == deployer.endpoint("iris")
    assert 1 == reads.counts["iris/weights.txt"], "what is here was downloaded again"


def test_a_killed_download_is_done_again_and_leaves_nothing(server, reads):
    deployer = Deployer(server)
    make(deployer, "iris", ModelDataSource=s3_data("s3://lake/iris/", "prefix"))
    reads.asked.clear()
    reads.may_answer.clear()
    deployer.sagemaker.create_endpoint(EndpointName="iris", EndpointConfigName="iris")
    assert reads.asked.wait(60)
    eventually(lambda: any(path.suffix == ".part" for path in files(server)))
    server.kill("control")
    reads.may_answer.set()
    assert "InService" == deployer.settled("iris")
    assert [] == [path for path in files(server) if path.suffix == ".part"]


def test_channels_and_code_have_folders_of_their_own(server):
    deployer = Deployer(server)
    put = deployer.s3.put_object
    put(Bucket=BUCKET, Key="weights.txt", Body=b"heavy")
    put(Bucket=BUCKET, Key="draft/model.bin", Body=b"light")
    put(Bucket=BUCKET, Key="words.tar.gz", Body=archive({"words.txt": b"iris"}))
    put(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=archive({"serve.py": LISTS_ITS_FILES.encode()}))
    make(
        deployer,
        "iris",
        ModelDataSource=s3_data(f"s3://{BUCKET}/weights.txt", "object"),
        AdditionalModelDataSources=[
            {"ChannelName": "draft-model", **s3_data(f"s3://{BUCKET}/draft/", "prefix")},
            {"ChannelName": "words", **s3_data(f"s3://{BUCKET}/words.tar.gz", "archive")},
        ],
        Environment={
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/sourcedir.tar.gz",
        },
    )
    assert "InService" == deployer.endpoint("iris")
    assert {
        "model": {"weights.txt": "heavy"},
        "SM_CHANNEL_DRAFT_MODEL": {"model.bin": "light"},
        "SM_CHANNEL_WORDS": {"words.txt": "iris"},
    } == answer(deployer)


@pytest.mark.parametrize(
    ("keys", "members", "why"),
    [
        (["clash/a", "clash/a/b"], {"ModelDataSource": s3_data(f"s3://{BUCKET}/clash/", "prefix")}, "makes a folder"),
        (
            ["code.txt"],
            {"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/code.txt"}},
            "SAGEMAKER_SUBMIT_DIRECTORY: the archive is not a gzip-compressed tar archive",
        ),
        ([], {"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://nowhere/x"}}, "s3://nowhere/x"),
    ],
    ids=["clash", "code that is no archive", "code that is not there"],
)
def test_what_can_never_be_a_folder_fails_the_endpoint_with_its_name(server, keys, members, why):
    deployer = Deployer(server)
    for key in keys:
        deployer.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    deployer.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=script_archive("def model_fn(folder): return 1"))
    source = {} if "ModelDataSource" in members else {"ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    make(deployer, "broken", **source, **members)
    assert "Failed" == deployer.endpoint("broken")
    assert why in deployer.sagemaker.describe_endpoint(EndpointName="broken")["FailureReason"]
