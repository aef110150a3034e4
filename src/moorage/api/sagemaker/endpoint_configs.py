"""Endpoint configs: CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

from __future__ import annotations

from typing import Any, cast

from moorage.api.sagemaker.config_rules import check_config
from moorage.api.sagemaker.errors import Kind, already_exists, not_found
from moorage.api.sagemaker.part import Part
from moorage.api.sagemaker.tag_rules import check_count, read_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.sagemaker import (
    CreateEndpointConfigInput,
    CreateEndpointConfigOutput,
    DeleteEndpointConfigInput,
    DescribeEndpointConfigInput,
    DescribeEndpointConfigOutput,
    ListEndpointConfigsInput,
    ListEndpointConfigsOutput,
)
from moorage.store.base import AlreadyExists, Transaction


class EndpointConfigs(Part):
    """The operations on endpoint configs."""

    @operation("CreateEndpointConfig")
    async def create_endpoint_config(
        self, caller: Caller, request: CreateEndpointConfigInput
    ) -> CreateEndpointConfigOutput:
        """Keep an endpoint config whose models exist."""
        check_config(request)
        tags = read_tags(request.get("Tags", ()))
        check_count(tags)
        body = _with_defaults(request)
        config = self._document(Kind.ENDPOINT_CONFIG, caller, name=request["EndpointConfigName"], body=body)

        def save(tx: Transaction) -> None:
            for variant in request["ProductionVariants"]:
                if tx.models.get(caller.region, variant["ModelName"]) is None:
                    raise not_found(Kind.MODEL, self._arn(Kind.MODEL, caller, variant["ModelName"]))
            tx.endpoint_configs.insert(config)
            tx.tags.put(config.arn, tags)

        try:
            await self._store.run(save)
        except AlreadyExists:
            raise already_exists(Kind.ENDPOINT_CONFIG, config.arn) from None
        return {"EndpointConfigArn": config.arn}

    @operation("DescribeEndpointConfig")
    async def describe_endpoint_config(
        self, caller: Caller, request: DescribeEndpointConfigInput
    ) -> DescribeEndpointConfigOutput:
        """The endpoint config as it was created."""
        name = request["EndpointConfigName"]
        config = await self._store.run(lambda tx: tx.endpoint_configs.get(caller.region, name))
        if config is None:
            raise not_found(Kind.ENDPOINT_CONFIG, self._arn(Kind.ENDPOINT_CONFIG, caller, name))
        described = {**config.body, "EndpointConfigArn": config.arn, "CreationTime": config.created_at}
        return cast(DescribeEndpointConfigOutput, described)

    @operation("ListEndpointConfigs")
    async def list_endpoint_configs(
        self, caller: Caller, request: ListEndpointConfigsInput
    ) -> ListEndpointConfigsOutput:
        """A page of the region's endpoint configs."""
        query = self._tokens.query("endpoint configs", request, region=caller.region)
        page = await self._store.run(lambda tx: tx.endpoint_configs.list(query))
        return {
            "EndpointConfigs": [
                {
                    "EndpointConfigName": config.name,
                    "EndpointConfigArn": config.arn,
                    "CreationTime": config.created_at,
                }
                for config in page.rows
            ],
            **self._tokens.next("endpoint configs", query, after=page.next_after),
        }

    @operation("DeleteEndpointConfig")
    async def delete_endpoint_config(self, caller: Caller, request: DeleteEndpointConfigInput) -> None:
        """Forget an endpoint config, also one in use, as SageMaker does."""
        arn = self._arn(Kind.ENDPOINT_CONFIG, caller, request["EndpointConfigName"])

        def delete(tx: Transaction) -> None:
            if not tx.endpoint_configs.delete(caller.region, request["EndpointConfigName"]):
                raise not_found(Kind.ENDPOINT_CONFIG, arn)
            tx.tags.clear(arn)

        await self._store.run(delete)


def _with_defaults(request: CreateEndpointConfigInput) -> dict[str, Any]:
    """The request as DescribeEndpointConfig shows it, with what SageMaker fills in."""
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
    return {**request, "ProductionVariants": variants}
