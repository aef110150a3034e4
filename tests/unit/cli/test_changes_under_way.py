"""A command that changes an endpoint waits for a change that somebody else, or automatic scaling, has begun."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.cli.deploy import hosting
from moorage.cli.deploy.naming import Names


class ScalingEndpoint:
    """SageMaker with one endpoint, which is busy with something else for the first looks at it."""

    def __init__(self, busy_looks: int) -> None:
        self._busy_looks = busy_looks
        self._is_there = True
        self._config = "before"

    def describe_endpoint(self, **_: str) -> dict[str, str]:
        if not self._is_there:
            raise _refusal('Could not find endpoint "iris".')
        self._busy_looks -= 1
        status = "Updating" if self._busy_looks >= 0 else "InService"
        return {"EndpointStatus": status, "EndpointConfigName": self._config}

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str) -> None:
        self._refuse_while_busy(EndpointName)
        self._config = EndpointConfigName

    def delete_endpoint(self, EndpointName: str) -> None:
        self._refuse_while_busy(EndpointName)
        self._is_there = False

    def _refuse_while_busy(self, name: str) -> None:
        if name != "iris":
            raise _refusal(f'Could not find endpoint "{name}".')
        if self._busy_looks > 0:
            raise _refusal('Cannot update in-progress endpoint "iris".')


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(hosting, "POLL_INTERVAL_S", 0)
    return []


@pytest.mark.parametrize("busy_looks", [0, 1, 3])
def test_a_delete_waits(seen: list[str], busy_looks: int) -> None:
    sagemaker: Any = ScalingEndpoint(busy_looks)
    hosting.delete_endpoint(sagemaker, "iris", watcher=seen.append)
    assert busy_looks == seen.count("Updating")
    assert hosting.find_endpoint(sagemaker, "iris") is None


@pytest.mark.parametrize("busy_looks", [0, 2, 4])
def test_an_update_waits(seen: list[str], busy_looks: int) -> None:
    sagemaker: Any = ScalingEndpoint(busy_looks)
    hosting.roll_out(sagemaker, Names("iris", "iris-2"), watcher=seen.append)
    assert "iris-2" == sagemaker.describe_endpoint()["EndpointConfigName"]
    assert "InService" == seen[-1]


def test_another_refusal_is_the_callers(seen: list[str]) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint"):
        hosting.delete_endpoint(ScalingEndpoint(0), "other", watcher=seen.append)
    assert [] == seen


def _refusal(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Operation")
