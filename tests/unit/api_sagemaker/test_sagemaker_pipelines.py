"""Models of several containers: what CreateModel takes and refuses, and what an endpoint's variant is made of."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.api.sagemaker.containers import containers_of
from moorage.api.sagemaker.pipeline_rules import check_together
from moorage.aws.errors import ServiceError
from moorage.testing.sagemaker_world import IMAGE, REGION, ROLE, SageMakerWorld

DIRECT = {"Mode": "Direct"}


def container(name: str | None = None, **members: Any) -> dict[str, Any]:
    return {"Image": IMAGE, **members} | ({"ContainerHostname": name} if name else {})


async def create(world: SageMakerWorld, containers: list[dict[str, Any]], mode: str = "Serial") -> tuple[str, ...]:
    """The names of the containers that a model of these has."""
    config = {"InferenceExecutionConfig": {"Mode": mode}} if mode != "Serial" else {}
    await world.call("CreateModel", ModelName="new", ExecutionRoleArn=ROLE, Containers=containers, **config)
    stored = await world.store.run(lambda tx: tx.models.get(REGION, "new"))
    assert stored is not None
    return tuple(each.name for each in containers_of(stored))


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        (("primary",), [None]),
        (("primary",), ["forest"]),
        (("container-1", "container-2", "container-3"), [None, None, None]),
        (("scale", "forest"), ["scale", "forest"]),
        (tuple(f"c{number}" for number in range(15)), [f"c{number}" for number in range(15)]),
    ],
)
async def test_what_containers_are_called(
    world: SageMakerWorld, expected: tuple[str, ...], names: list[str | None]
) -> None:
    assert expected == await create(world, [container(name) for name in names])


async def test_a_model_is_described_as_it_was_made(world: SageMakerWorld) -> None:
    containers = [container("scale", Environment={"A": "1"}), container("forest")]
    assert ("scale", "forest") == await create(world, containers, "Direct")
    described = await world.call("DescribeModel", ModelName="new")
    shown = [each | {"Mode": "SingleModel"} for each in containers]
    assert (shown, DIRECT) == (described["Containers"], described["InferenceExecutionConfig"])


REFUSED: list[tuple[list[dict[str, Any]], str, str]] = [
    (
        [container("scale"), container()],
        "Serial",
        "If one of the Containers has a ContainerHostname, each of them must have one.",
    ),
    (
        [container("same"), container("other"), container("same")],
        "Serial",
        "Each of the Containers must have a ContainerHostname of its own: 2 are 'same'.",
    ),
    (
        [container(), container()],
        "Direct",
        "InferenceExecutionConfig.Mode Direct needs a ContainerHostname for each of the Containers.",
    ),
    (
        [container("alone")],
        "Direct",
        "InferenceExecutionConfig.Mode Direct needs more than one container in Containers.",
    ),
    (
        [container(Environment={f"{which}{n}": "v" * 1023 for n in range(17)}) for which in "AB"],
        "Serial",
        "Environment cannot be larger than 32768 bytes in total.",
    ),
    (
        [container(), {"ModelDataUrl": "s3://models/m.tar.gz"}],
        "Serial",
        "A container needs an Image or a ModelPackageName.",
    ),
]


@pytest.mark.parametrize(("containers", "mode", "message"), REFUSED, ids=[message[:50] for *_, message in REFUSED])
async def test_refused(world: SageMakerWorld, containers: list[dict[str, Any]], mode: str, message: str) -> None:
    refusal = await world.refusal(
        "CreateModel",
        ModelName="new",
        ExecutionRoleArn=ROLE,
        Containers=containers,
        InferenceExecutionConfig={"Mode": mode},
    )
    assert message == refusal


def of_modes(*modes: str) -> list[Any]:
    return [container(f"c{number}", Mode=mode) for number, mode in enumerate(modes)]


def test_a_pipeline_may_have_one_multi_model_container() -> None:
    check_together({"ModelName": "new"}, of_modes("SingleModel", "MultiModel", "SingleModel"))


@pytest.mark.parametrize(
    ("message", "modes", "execution"),
    [
        (
            "More than one container in MultiModel mode is not supported with inference pipeline.",
            ["MultiModel", "MultiModel"],
            "Serial",
        ),
        ("A container in MultiModel mode cannot be invoked directly", ["MultiModel", "SingleModel"], "Direct"),
    ],
)
def test_where_multi_model_containers_have_no_place(message: str, modes: list[str], execution: str) -> None:
    request: Any = {"ModelName": "new", "InferenceExecutionConfig": {"Mode": execution}}
    with pytest.raises(ServiceError, match=message):
        check_together(request, of_modes(*modes))
