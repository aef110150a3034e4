"""What an update may not do to variants that are registered as scalable targets."""

from __future__ import annotations

from moorage.core.scaling.model import Bounds, ScalableTarget, target_key
from moorage.store.scaling import save_target
from moorage.testing.builders import T0
from moorage.testing.sagemaker_world import REGION, SageMakerWorld, arn, variant

KEY = target_key(REGION, "endpoint/iris/variant/AllTraffic")
UPDATE = {"EndpointName": "iris", "EndpointConfigName": "other"}


async def registered(world: SageMakerWorld, uid: str) -> None:
    target = ScalableTarget(KEY, "arn", "role", uid, Bounds(1, 3), T0)
    await world.store.run(lambda tx: save_target(tx, target))


async def test_the_instance_type_of_a_scaled_variant_stays(deployed: SageMakerWorld) -> None:
    await deployed.create_config("other", variant(InstanceType="ml.m5.xlarge"))
    await registered(deployed, (await deployed.endpoint()).uid)

    refused = await deployed.refusal("UpdateEndpoint", **UPDATE)

    assert f'the instance type of variant "AllTraffic" of endpoint "{arn("endpoint", "iris")}"' in refused


async def test_another_model_is_no_obstacle(deployed: SageMakerWorld) -> None:
    await deployed.create_model("rose")
    await deployed.create_config("other", variant(ModelName="rose"))
    await registered(deployed, (await deployed.endpoint()).uid)

    await deployed.call("UpdateEndpoint", **UPDATE)


async def test_a_namesakes_registration_does_not_matter(deployed: SageMakerWorld) -> None:
    await deployed.create_config("other", variant(InstanceType="ml.m5.xlarge"))
    await registered(deployed, "of another")

    await deployed.call("UpdateEndpoint", **UPDATE)
