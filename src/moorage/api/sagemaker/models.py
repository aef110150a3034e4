"""Models: CreateModel, DescribeModel, ListModels, DeleteModel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from moorage.api.sagemaker.containers import channels_of, is_multi_model, model_data_of
from moorage.api.sagemaker.errors import (
    Kind,
    already_exists,
    model_data_unreachable,
    model_data_unreadable,
    not_found,
    role_unusable,
)
from moorage.api.sagemaker.model_rules import checked_containers
from moorage.api.sagemaker.part import Part
from moorage.api.sagemaker.roles import may_assume
from moorage.api.sagemaker.tag_rules import check_count, read_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.sagemaker import (
    ContainerDefinition,
    CreateModelInput,
    CreateModelOutput,
    DeleteModelInput,
    DescribeModelInput,
    DescribeModelOutput,
    ListModelsInput,
    ListModelsOutput,
)
from moorage.core.model import ModelData
from moorage.objects.model_data import ModelDataUnreadable
from moorage.objects.model_sources import Unreachable
from moorage.store.base import AlreadyExists, Transaction


class Models(Part):
    """The operations on models."""

    @operation("CreateModel")
    async def create_model(self, caller: Caller, request: CreateModelInput) -> CreateModelOutput:
        """Keep a model once its role and its data have been found usable."""
        containers = checked_containers(request)
        tags = read_tags(request.get("Tags", ()))
        check_count(tags)
        model = self._document(Kind.MODEL, caller, name=request["ModelName"], body=_with_defaults(request))
        await self._check_free(caller, model.name)
        await self._check_access(caller, containers, request.get("ExecutionRoleArn"))

        def save(tx: Transaction) -> None:
            tx.models.insert(model)
            tx.tags.put(model.arn, tags)

        try:
            await self._store.run(save)
        except AlreadyExists:
            raise already_exists(Kind.MODEL, model.arn) from None
        for container in containers:
            self._needs.prepare(container["Image"])
        return {"ModelArn": model.arn}

    @operation("DescribeModel")
    async def describe_model(self, caller: Caller, request: DescribeModelInput) -> DescribeModelOutput:
        """The model as it was created."""
        name = request["ModelName"]
        model = await self._store.run(lambda tx: tx.models.get(caller.region, name))
        if model is None:
            raise not_found(Kind.MODEL, self._arn(Kind.MODEL, caller, name))
        described = {**model.body, "ModelArn": model.arn, "CreationTime": model.created_at}
        return cast(DescribeModelOutput, described)

    @operation("ListModels")
    async def list_models(self, caller: Caller, request: ListModelsInput) -> ListModelsOutput:
        """A page of the region's models."""
        query = self._tokens.query("models", request, region=caller.region)
        page = await self._store.run(lambda tx: tx.models.list(query))
        return {
            "Models": [
                {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}
                for model in page.rows
            ],
            **self._tokens.next("models", query, after=page.next_after),
        }

    @operation("DeleteModel")
    async def delete_model(self, caller: Caller, request: DeleteModelInput) -> None:
        """Forget a model. Endpoints made from it go on: their fleets carry a copy."""
        arn = self._arn(Kind.MODEL, caller, request["ModelName"])

        def delete(tx: Transaction) -> None:
            if not tx.models.delete(caller.region, request["ModelName"]):
                raise not_found(Kind.MODEL, arn)
            tx.tags.clear(arn)

        await self._store.run(delete)

    async def _check_free(self, caller: Caller, name: str) -> None:
        """So that a name already taken is said before anything about its data."""
        if await self._store.run(lambda tx: tx.models.get(caller.region, name)) is not None:
            raise already_exists(Kind.MODEL, self._arn(Kind.MODEL, caller, name))

    async def _check_access(
        self, caller: Caller, containers: Sequence[ContainerDefinition], role_arn: str | None
    ) -> None:
        sources = [source for container in containers for source in _sources_of(container)]
        reader = self._needs.model_data
        assumed = role_arn is None or await self._store.run(lambda tx: may_assume(tx, role_arn))
        if role_arn is not None and not assumed and not sources:
            raise role_unusable(role_arn)
        for data, is_library in sources:
            refusal = model_data_unreadable(data.uri, role_arn=role_arn or "", region=caller.region)
            if not assumed:
                raise refusal
            try:
                await (reader.check_bucket if is_library else reader.check)(data)
            except ModelDataUnreadable:
                raise refusal from None
            except Unreachable:
                raise model_data_unreachable(data.uri) from None


def _sources_of(container: ContainerDefinition) -> Iterator[tuple[ModelData, bool]]:
    """The container's model data, and of each whether it is the place of many models, which may come later."""
    data = model_data_of(container)
    if data is not None:
        yield data, is_multi_model(container)
    for channel in channels_of(container):
        yield channel.data, False


def _with_defaults(request: CreateModelInput) -> dict[str, Any]:
    """The request as DescribeModel shows it, with what SageMaker fills in."""
    body: dict[str, Any] = {"EnableNetworkIsolation": False, **request}
    if "PrimaryContainer" in body:
        body["PrimaryContainer"] = _with_mode(body["PrimaryContainer"])
    if "Containers" in body:
        body["Containers"] = [_with_mode(container) for container in body["Containers"]]
    return body


def _with_mode(container: ContainerDefinition) -> ContainerDefinition:
    return {"Mode": "SingleModel", **container}
