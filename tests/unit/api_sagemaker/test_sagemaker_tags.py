"""AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.testing.sagemaker_world import ACCOUNT, SageMakerWorld, arn


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


@pytest.mark.parametrize("kind_and_name", [("model", "iris"), ("endpoint-config", "config"), ("endpoint", "iris")])
async def test_put_list_and_take_off(deployed: SageMakerWorld, kind_and_name: tuple[str, str]) -> None:
    resource = arn(*kind_and_name)
    assert {"Tags": tags(z="1", a="2")} == await deployed.call("AddTags", ResourceArn=resource, Tags=tags(z="1", a="2"))
    kind, name = kind_and_name
    again = await deployed.call("AddTags", ResourceArn=arn(kind, name.capitalize()), Tags=tags(z="3"))
    assert {"Tags": tags(z="3", a="2")} == again
    assert {} == await deployed.call("DeleteTags", ResourceArn=resource, TagKeys=["z", "never"])
    assert {"Tags": tags(a="2")} == await deployed.call("ListTags", ResourceArn=resource, MaxResults=50)


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (arn("endpoint", "gone"), f'Could not find endpoint "{arn("endpoint", "gone")}".'),
        (arn("model", "iris", "eu-west-1"), f'Could not find model "{arn("model", "iris", "eu-west-1")}".'),
        (
            arn("model", "iris").replace(ACCOUNT, "210987654321"),
            f'Could not find model "{arn("model", "iris").replace(ACCOUNT, "210987654321")}".',
        ),
        (
            arn("notebook-instance", "n"),
            (
                f'Moorage has no resources to tag such as "{arn("notebook-instance", "n")}": models, endpoint configs '
                "and endpoints only."
            ),
        ),
    ],
)
async def test_what_is_not_there_has_no_tags(deployed: SageMakerWorld, resource: str, message: str) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("AddTags", {"Tags": tags(a="1")}),
        ("ListTags", {}),
        ("DeleteTags", {"TagKeys": ["a"]}),
    ]
    for operation, members in requests:
        assert message == await deployed.refusal(operation, ResourceArn=resource, **members)


async def test_rules(deployed: SageMakerWorld) -> None:
    resource = arn("endpoint", "iris")
    fifty = tags(**{f"k{number}": "" for number in range(50)})
    await deployed.call("AddTags", ResourceArn=resource, Tags=fifty)
    await deployed.call("AddTags", ResourceArn=resource, Tags=tags(k0="new"))
    cases = [
        (tags(more=""), "A resource can have 50 tags at most; this one would have 51."),
        (tags(**{"AWS:x": ""}), "Tag keys that start with 'aws:' are reserved for system use: 'AWS:x'."),
        (tags(a="1") + tags(a="2"), "Tag keys must be unique, and 'a' is given more than once."),
    ]
    for added, message in cases:
        assert message == await deployed.refusal("AddTags", ResourceArn=resource, Tags=added)
    assert 50 == len((await deployed.call("ListTags", ResourceArn=resource))["Tags"])
    assert "NextToken is not one that ListTags gave." == await deployed.refusal(
        "ListTags", ResourceArn=resource, NextToken="x"
    )
