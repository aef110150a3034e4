"""The SageMaker service on a store in memory, with everything around it under the test's control."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from moorage.api.sagemaker.service import SageMaker
from moorage.api.service import Caller
from moorage.aws.errors import ServiceError
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus, ModelData
from moorage.objects.model_data import ModelDataUnreadable
from moorage.store.base import Document
from moorage.system.signals import KeyedSignal
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
DATA = "s3://models/iris.tar.gz"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def arn(kind: str, name: str, region: str = REGION) -> str:
    """The ARN of a `model`, `endpoint-config` or `endpoint`."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


@dataclass
class SageMakerWorld:
    """Calls the service and plays the loop that it wakes."""

    store: MemoryStore = field(default_factory=MemoryStore)
    changed: KeyedSignal[EndpointKey] = field(default_factory=KeyedSignal)
    ready: dict[str, int] = field(default_factory=dict)
    woken: list[EndpointKey] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    readable: set[str] = field(default_factory=lambda: {DATA})
    data_fault: Exception | None = None
    enforced: int = 0
    """How often the gateways were to go by what is stored of bearer keys."""
    region: str = REGION

    def __post_init__(self) -> None:
        self.service = SageMaker(
            self.store,
            clock=LoopClock(),
            account_id=ACCOUNT,
            wake=self.wake,
            changed=self.changed,
            ready_counts=lambda _: self.ready,
            model_data=self,
            prepare=self.prepared.append,
            token_key=b"key",
            enforce_access=self.enforce_access,
            instances_max=4,
        )

    def wake(self, key: EndpointKey) -> None:
        """What the service does after every save of an endpoint."""
        self.woken.append(key)

    async def enforce_access(self) -> None:
        """What is asked for after every change of bearer keys."""
        self.enforced += 1

    def caller(self) -> Caller:
        """Root, in the world's region."""
        return Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "AKIA", self.region, "request")

    async def check(self, data: ModelData) -> None:
        """As a ModelDataChecks."""
        if self.data_fault is not None:
            raise self.data_fault
        if data.uri not in self.readable:
            raise ModelDataUnreadable(data.uri, "it is not there")

    async def check_bucket(self, data: ModelData) -> None:
        """Likewise: there are the buckets of what is readable."""
        if not any(known.startswith(data.uri) for known in self.readable):
            raise ModelDataUnreadable(data.uri, "it is not there")

    async def call(self, operation: str, **request: Any) -> Any:
        return await self.service.handlers()[operation](self.caller(), request)

    async def refusal(self, operation: str, **request: Any) -> str:
        """The message of the ValidationException that the call is answered with."""
        with pytest.raises(ServiceError) as caught:
            await self.call(operation, **request)
        assert "ValidationException" == caught.value.code
        return caught.value.message

    async def add_role(self, name: str = "sagemaker", principal: Any = "sagemaker.amazonaws.com") -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}],
        }
        now = LoopClock().now()
        role_arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        document = Document("", name, role_arn, now, now, {"AssumeRolePolicyDocument": json.dumps(policy)})
        await self.store.run(lambda tx: tx.roles.insert(document))

    async def create_model(self, name: str = "iris", **members: Any) -> Any:
        container = {"Image": IMAGE, "ModelDataUrl": DATA, "Environment": {"A": "1"}}
        request = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container} | members
        return await self.call("CreateModel", **request)

    async def create_config(self, name: str = "config", *variants: dict[str, Any], **members: Any) -> Any:
        return await self.call(
            "CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=list(variants or [variant()]), **members
        )

    async def create_endpoint(self, name: str = "iris", **members: Any) -> Any:
        return await self.call("CreateEndpoint", **{"EndpointName": name, "EndpointConfigName": "config"} | members)

    async def deploy(self) -> None:
        """The role, the model `iris`, the config `config` and the endpoint `iris`, in service."""
        await self.add_role()
        await self.create_model()
        await self.create_config()
        await self.create_endpoint()
        await self.settle()

    async def endpoint(self, name: str = "iris") -> Endpoint:
        found = await self.store.run(lambda tx: tx.endpoints.get(EndpointKey(self.region, name)))
        assert found is not None
        return found

    async def save(self, endpoint: Endpoint) -> None:
        """As a loop does."""
        await self.store.run(lambda tx: tx.endpoints.swap(endpoint))
        self.changed.notify(endpoint.key)

    async def settle(self, name: str = "iris", **members: Any) -> None:
        """The loop has brought the endpoint to what was wanted."""
        endpoint = await self.endpoint(name)
        in_service = {"status": EndpointStatus.IN_SERVICE, "serving": endpoint.target, "target": None}
        await self.save(replace(endpoint, **in_service | members))

    async def forget(self, name: str = "iris") -> None:
        endpoint = await self.endpoint(name)
        await self.store.run(lambda tx: tx.endpoints.delete(endpoint.key, endpoint.uid))
        self.changed.notify(endpoint.key)


def variant(name: str = "AllTraffic", **members: Any) -> dict[str, Any]:
    """A production variant as CreateEndpointConfig takes it."""
    return {
        "VariantName": name,
        "ModelName": "iris",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    } | members
