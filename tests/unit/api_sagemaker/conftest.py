"""Three states of the world."""

from __future__ import annotations

import pytest

from moorage.testing.sagemaker_world import SageMakerWorld


@pytest.fixture
def empty() -> SageMakerWorld:
    return SageMakerWorld()


@pytest.fixture
async def world(empty: SageMakerWorld) -> SageMakerWorld:
    """With a role and the model `iris`."""
    await empty.add_role()
    await empty.create_model()
    return empty


@pytest.fixture
async def deployed(empty: SageMakerWorld) -> SageMakerWorld:
    """With the config `config` and the endpoint `iris` in service, too."""
    await empty.deploy()
    empty.woken.clear()
    return empty
