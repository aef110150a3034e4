"""CreateModel and its kin: what is kept, what is refused and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.api.sagemaker.containers import model_data_of
from moorage.aws.errors import ServiceError
from moorage.core.model import DataForm, ModelData
from moorage.objects.model_sources import Unreachable
from moorage.testing.sagemaker_world import ACCOUNT, DATA, IMAGE, ROLE, SageMakerWorld, arn

CONTAINER = {"Image": IMAGE, "ModelDataUrl": DATA}
UNREADABLE = (
    'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust relationship '
    'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that '
    'the role has "s3:GetObject" permissions and that the object is located in us-east-1.'
)


async def test_a_model_is_described_as_it_was_created(world: SageMakerWorld) -> None:
    members = {
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "InferenceExecutionConfig": {"Mode": "Serial"},
        "Tags": [{"Key": "team", "Value": "ml"}],
    }
    created = await world.create_model("Other", PrimaryContainer=CONTAINER, **members)
    assert {"ModelArn": arn("model", "other")} == created
    described = await world.call("DescribeModel", ModelName="other")
    assert {
        "ModelName": "Other",
        "ModelArn": arn("model", "other"),
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": CONTAINER | {"Mode": "SingleModel"},
        "VpcConfig": members["VpcConfig"],
        "InferenceExecutionConfig": {"Mode": "Serial"},
        "EnableNetworkIsolation": False,
        "CreationTime": described["CreationTime"],
    } == described
    assert {"Tags": members["Tags"]} == await world.call("ListTags", ResourceArn=arn("model", "other"))


async def test_the_runner_is_told_of_the_image(world: SageMakerWorld) -> None:
    assert [IMAGE] == world.prepared


async def test_a_name_is_taken_once_whatever_its_case(world: SageMakerWorld) -> None:
    expected = f'Cannot create already existing model "{arn("model", "iris")}".'
    assert expected == await world.refusal("CreateModel", ModelName="IRIS", PrimaryContainer=CONTAINER)


async def test_deleting_frees_the_name_and_the_tags(world: SageMakerWorld) -> None:
    await world.call("AddTags", ResourceArn=arn("model", "iris"), Tags=[{"Key": "a", "Value": "1"}])
    await world.call("DeleteModel", ModelName="Iris")
    missing = f'Could not find model "{arn("model", "iris")}".'
    assert missing == await world.refusal("DescribeModel", ModelName="iris")
    assert missing == await world.refusal("DeleteModel", ModelName="iris")
    await world.create_model()
    assert {"Tags": []} == await world.call("ListTags", ResourceArn=arn("model", "iris"))


async def test_regions_do_not_see_each_other(world: SageMakerWorld) -> None:
    world.region = "eu-west-1"
    expected = f'Could not find model "{arn("model", "iris", "eu-west-1")}".'
    assert expected == await world.refusal("DescribeModel", ModelName="iris")
    await world.create_model()


async def test_data_in_the_other_member_is_checked_too(world: SageMakerWorld) -> None:
    source = {"S3Uri": DATA, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    await world.create_model("new", PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}})
    gone = source | {"S3Uri": "s3://models/gone"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": gone}}
    message = await world.refusal("CreateModel", ModelName="n", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    assert UNREADABLE.format(url="s3://models/gone", role=ROLE) == message


@pytest.mark.parametrize(
    ("url", "role"),
    [
        ("s3://models/gone.tar.gz", "sagemaker"),
        (DATA, "nobody"),
        (DATA, "ec2"),
        (DATA, "path/sagemaker"),
    ],
)
async def test_data_or_role_unusable(world: SageMakerWorld, url: str, role: str) -> None:
    await world.add_role("ec2", principal="ec2.amazonaws.com")
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    container = {"Image": IMAGE, "ModelDataUrl": url}
    message = await world.refusal("CreateModel", ModelName="new", PrimaryContainer=container, ExecutionRoleArn=role_arn)
    assert UNREADABLE.format(url=url, role=role_arn) == message


async def test_a_role_unusable_without_data(world: SageMakerWorld) -> None:
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    message = await world.refusal(
        "CreateModel", ModelName="new", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=role_arn
    )
    expected = (
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )
    assert expected == message


async def test_a_store_of_objects_that_is_away_is_not_the_callers_fault(world: SageMakerWorld) -> None:
    world.data_fault = Unreachable("connection refused")
    with pytest.raises(ServiceError) as caught:
        await world.create_model("new")
    assert ("ServiceUnavailable", 503) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("principal", ["sagemaker.amazonaws.com", ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]])
async def test_roles_that_trust_sagemaker(world: SageMakerWorld, principal: Any) -> None:
    await world.add_role("other", principal)
    await world.create_model("new", ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/other")


async def test_a_model_of_many_is_kept_whatever_lies_below_its_prefix(world: SageMakerWorld) -> None:
    many = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": DATA.rpartition("/")[0]}
    many["MultiModelConfig"] = {"ModelCacheSetting": "Disabled"}
    await world.create_model("many", PrimaryContainer=many)
    assert many == (await world.call("DescribeModel", ModelName="many"))["PrimaryContainer"]


@pytest.mark.parametrize("url", ["s3://models/many", "s3://models/many/"])
def test_a_prefix_ends_in_a_slash_so_that_no_neighbour_is_below_it(url: str) -> None:
    assert ModelData("s3://models/many/", DataForm.PREFIX) == model_data_of({"Mode": "MultiModel", "ModelDataUrl": url})


def primary(**members: Any) -> dict[str, Any]:
    return {"PrimaryContainer": CONTAINER | members}


def source(**members: Any) -> dict[str, Any]:
    data = {"S3Uri": DATA, "S3DataType": "S3Object", "CompressionType": "Gzip"} | members
    return {"PrimaryContainer": {"Image": IMAGE, "ModelDataSource": {"S3DataSource": data}}}


def channel(name: str, **members: Any) -> dict[str, Any]:
    data = {"S3Uri": DATA, "S3DataType": "S3Object", "CompressionType": "Gzip"} | members
    return {"ChannelName": name, "S3DataSource": data}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "One of PrimaryContainer and Containers must be given."),
    (primary() | {"Containers": [CONTAINER]}, "PrimaryContainer and Containers cannot both be given."),
    ({"PrimaryContainer": {"ModelDataUrl": DATA}}, "A container needs an Image or a ModelPackageName."),
    (
        primary(ModelDataSource={"S3DataSource": {}}),
        "ModelDataUrl and ModelDataSource cannot both be given.",
    ),
    (
        primary(Environment={f"K{n}": "v" * 1024 for n in range(33)}),
        "Environment cannot be larger than 32768 bytes in total.",
    ),
    (
        primary(Environment={"LEVEL": "high\0low"}),
        "The value of 'LEVEL' in Environment cannot hold a NUL character.",
    ),
    (
        primary(Environment={"MOORAGE_CONCURRENCY": "0"}),
        "The value of 'MOORAGE_CONCURRENCY' in Environment must be a whole number from 1 to 10000.",
    ),
    (primary() | {"EnableNetworkIsolation": True}, "Moorage does not support EnableNetworkIsolation yet."),
    (
        {"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}},
        "A container with Mode MultiModel needs a ModelDataUrl: the prefix below which its models lie.",
    ),
    (primary(MultiModelConfig={}), "MultiModelConfig can be given with Mode MultiModel only."),
    (
        primary(Mode="MultiModel", Environment={"MOORAGE_MODEL_CACHE_BYTES": "1 GB"}),
        "The value of 'MOORAGE_MODEL_CACHE_BYTES' in Environment must be a whole number from 1 to 1000000000000000.",
    ),
    (primary(ModelPackageName="p"), "Moorage does not support ModelPackageName yet."),
    (
        primary(AdditionalModelDataSources=[channel("a"), channel("a")]),
        "AdditionalModelDataSources.ChannelName 'a' is used more than once.",
    ),
    (
        primary(AdditionalModelDataSources=[channel("..")]),
        "AdditionalModelDataSources.ChannelName '..' cannot be the name of a folder.",
    ),
    (
        primary(AdditionalModelDataSources=[channel("a", S3DataType="S3Prefix", CompressionType="None")]),
        "AdditionalModelDataSources.S3DataSource.S3Uri of S3DataType S3Prefix must end in a slash.",
    ),
    (
        primary(ImageConfig={"RepositoryAccessMode": "Vpc"}),
        "Moorage does not support ImageConfig.RepositoryAccessMode Vpc yet.",
    ),
    (
        source(CompressionType="None", S3DataType="S3Prefix"),
        "ModelDataSource.S3DataSource.S3Uri of S3DataType S3Prefix must end in a slash.",
    ),
    (
        source(S3DataType="S3Prefix", S3Uri="s3://models/"),
        "ModelDataSource.S3DataSource.CompressionType Gzip is for S3DataType S3Object: one .tar.gz.",
    ),
    (
        source(CompressionType="None", S3Uri="s3://models/"),
        "ModelDataSource.S3DataSource.S3Uri of S3DataType S3Object must name an object: it cannot end in a slash.",
    ),
    (
        source(CompressionType="None", S3DataType="S3Prefix", S3Uri="s3://models/", ETag="tag"),
        "ModelDataSource.S3DataSource.ETag is of one object: it cannot be given with S3DataType S3Prefix.",
    ),
    (source(ManifestS3Uri="s3://m/x"), "Moorage does not support ModelDataSource.S3DataSource.ManifestS3Uri yet."),
    (source(HubAccessConfig={}), "Moorage does not support ModelDataSource.S3DataSource.HubAccessConfig yet."),
    (
        primary() | {"Tags": [{"Key": "aws:x", "Value": ""}]},
        "Tag keys that start with 'aws:' are reserved for system use: 'aws:x'.",
    ),
]


@pytest.mark.parametrize(("members", "message"), REFUSED, ids=[message[:60] for _, message in REFUSED])
async def test_refused(world: SageMakerWorld, members: dict[str, Any], message: str) -> None:
    assert message == await world.refusal("CreateModel", ModelName="new", ExecutionRoleArn=ROLE, **members)


async def test_every_source_of_a_model_is_looked_at(world: SageMakerWorld) -> None:
    world.readable |= {"s3://models/weights/", "s3://models/draft.bin"}
    weights = {"S3Uri": "s3://models/weights/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    data = {"ModelDataSource": {"S3DataSource": weights | {"ModelAccessConfig": {"AcceptEula": True}}}}
    draft = channel("draft", S3Uri="s3://models/draft.bin", CompressionType="None")
    await world.create_model("new", PrimaryContainer={"Image": IMAGE, "AdditionalModelDataSources": [draft]} | data)
    gone = channel("gone", S3Uri="s3://models/gone", CompressionType="None")
    container = {"Image": IMAGE, "AdditionalModelDataSources": [draft, gone]} | data
    with pytest.raises(ServiceError, match="Could not access model data at s3://models/gone"):
        await world.create_model("other", PrimaryContainer=container)


async def test_a_pipeline_of_one_is_a_model(world: SageMakerWorld) -> None:
    request = {"ModelName": "new", "ExecutionRoleArn": ROLE, "Containers": [CONTAINER]}
    await world.call("CreateModel", **request)
    shown = (await world.call("DescribeModel", ModelName="new"))["Containers"]
    assert [CONTAINER | {"Mode": "SingleModel"}] == shown
