"""Endpoints: CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, DeleteEndpoint, and looking at them.

A handler that changes an endpoint saves the wanted state with the status that goes with it, wakes the loop, and leaves
the rest to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from moorage.api.sagemaker.config_rules import check_weights
from moorage.api.sagemaker.deployment_rules import check_deployment
from moorage.api.sagemaker.description import describe
from moorage.api.sagemaker.errors import (
    Kind,
    already_exists,
    failed_endpoint,
    in_progress,
    invalid,
    not_found,
    unknown_variants,
)
from moorage.api.sagemaker.part import Part
from moorage.api.sagemaker.scaling_rules import check_scaled_variants
from moorage.api.sagemaker.serverless_rules import check_capacities
from moorage.api.sagemaker.tag_rules import check_count, read_tags
from moorage.api.sagemaker.variants import check_instance_limit, freeze_variants, retain_properties
from moorage.api.sagemaker.waiting import settled
from moorage.api.service import Caller, operation
from moorage.aws.types.sagemaker import (
    CreateEndpointInput,
    CreateEndpointOutput,
    DeleteEndpointInput,
    DescribeEndpointInput,
    DescribeEndpointOutput,
    ListEndpointsInput,
    ListEndpointsOutput,
    UpdateEndpointInput,
    UpdateEndpointOutput,
    UpdateEndpointWeightsAndCapacitiesInput,
    UpdateEndpointWeightsAndCapacitiesOutput,
)
from moorage.core import endpoint as changes
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus
from moorage.core.names import bearer_keys_name
from moorage.store.base import AlreadyExists, Document, StaleVersion, Transaction
from moorage.system.entropy import new_uid

_NO_REGION: Final = ""


class Endpoints(Part):
    """The operations on endpoints."""

    @operation("CreateEndpoint")
    async def create_endpoint(self, caller: Caller, request: CreateEndpointInput) -> CreateEndpointOutput:
        """Accept an endpoint, Creating, with its models frozen as they are now."""
        check_deployment(request.get("DeploymentConfig", {}))
        tags = read_tags(request.get("Tags", ()))
        check_count(tags)
        key = EndpointKey(caller.region, request["EndpointName"])
        arn = self._arn(Kind.ENDPOINT, caller, key.name)
        now = self._clock.now()

        def create(tx: Transaction) -> None:
            config = self._config(tx, caller, request["EndpointConfigName"])
            variants = freeze_variants(tx, config, account_id=self._needs.account_id)
            check_instance_limit(variants, (), limit=self._needs.instances_max)
            created = changes.create(key, new_uid(), arn=arn, config_name=config.name, variants=variants, now=now)
            tx.endpoints.insert(replace(created, last_deployment_config=request.get("DeploymentConfig", {})))
            tx.tags.put(arn, tags)

        try:
            await self._store.run(create)
        except AlreadyExists:
            raise already_exists(Kind.ENDPOINT, arn) from None
        self._needs.wake(key)
        return {"EndpointArn": arn}

    @operation("DescribeEndpoint")
    async def describe_endpoint(self, caller: Caller, request: DescribeEndpointInput) -> DescribeEndpointOutput:
        """The endpoint as it is, or as it is a moment later if it is just being changed (see `waiting`)."""
        key = EndpointKey(caller.region, request["EndpointName"])
        endpoint = await settled(key, store=self._store, changed=self._needs.changed, clock=self._clock)
        if endpoint is None:
            raise not_found(Kind.ENDPOINT, self._arn(Kind.ENDPOINT, caller, key.name))
        config = await self._store.run(lambda tx: tx.endpoint_configs.get(key.region, endpoint.config_name))
        return describe(endpoint, config, ready=self._needs.ready_counts(endpoint.key))

    @operation("ListEndpoints")
    async def list_endpoints(self, caller: Caller, request: ListEndpointsInput) -> ListEndpointsOutput:
        """A page of the region's endpoints."""
        query = self._tokens.query("endpoints", request, region=caller.region)
        page = await self._store.run(lambda tx: tx.endpoints.list(query))
        return {
            "Endpoints": [
                {
                    "EndpointName": endpoint.key.name,
                    "EndpointArn": endpoint.arn,
                    "CreationTime": endpoint.created_at,
                    "LastModifiedTime": endpoint.modified_at,
                    "EndpointStatus": endpoint.status.value,
                }
                for endpoint in page.rows
            ],
            **self._tokens.next("endpoints", query, after=page.next_after),
        }

    @operation("UpdateEndpoint")
    async def update_endpoint(self, caller: Caller, request: UpdateEndpointInput) -> UpdateEndpointOutput:
        """Accept a new fleet, made from another config, to take the place of the serving one."""
        check_deployment(request.get("DeploymentConfig", {}))
        if "DeploymentConfig" in request and request.get("RetainDeploymentConfig"):
            raise invalid("DeploymentConfig cannot be given together with RetainDeploymentConfig.")
        now = self._clock.now()

        def change(tx: Transaction, endpoint: Endpoint) -> Endpoint:
            self._config(tx, caller, endpoint.config_name)
            config = self._config(tx, caller, request["EndpointConfigName"])
            serving = endpoint.serving.variants if endpoint.serving else ()
            frozen = freeze_variants(tx, config, account_id=self._needs.account_id)
            variants = retain_properties(frozen, serving, request)
            check_scaled_variants(tx, endpoint, variants)
            check_instance_limit(variants, serving, limit=self._needs.instances_max)
            updated = changes.update(endpoint, config_name=config.name, variants=variants, now=now)
            remembered = request.get("DeploymentConfig", endpoint.last_deployment_config)
            return replace(updated, last_deployment_config=remembered)

        return {"EndpointArn": await self._change(caller, request["EndpointName"], change)}

    @operation("UpdateEndpointWeightsAndCapacities")
    async def update_endpoint_weights_and_capacities(
        self, caller: Caller, request: UpdateEndpointWeightsAndCapacitiesInput
    ) -> UpdateEndpointWeightsAndCapacitiesOutput:
        """Accept other weights and instance counts for the serving fleet."""
        wanted = _read_variant_changes(request)
        now = self._clock.now()

        def change(_: Transaction, endpoint: Endpoint) -> Endpoint:
            serving = endpoint.serving.variants if endpoint.serving else ()
            try:
                changed = changes.set_weights_and_capacities(endpoint, wanted, now=now)
            except changes.UnknownVariant as error:
                config_arn = self._arn(Kind.ENDPOINT_CONFIG, caller, endpoint.config_name)
                raise unknown_variants(error.args[0], config_arn=config_arn) from None
            assert changed.target is not None
            check_capacities(request["DesiredWeightsAndCapacities"], changed.target.variants)
            check_weights([variant.desired_weight for variant in changed.target.variants])
            check_instance_limit(changed.target.variants, serving, limit=self._needs.instances_max)
            return changed

        return {"EndpointArn": await self._change(caller, request["EndpointName"], change)}

    @operation("DeleteEndpoint")
    async def delete_endpoint(self, caller: Caller, request: DeleteEndpointInput) -> None:
        """Accept that an endpoint is to go. Its tags and bearer keys go at once, its name with its last instance."""
        now = self._clock.now()
        had_keys = False

        def change(tx: Transaction, endpoint: Endpoint) -> Endpoint:
            nonlocal had_keys
            tx.tags.clear(endpoint.arn)
            had_keys = tx.bearer_keys.delete(_NO_REGION, bearer_keys_name(endpoint.key))
            return changes.delete(endpoint, now=now)

        await self._change(caller, request["EndpointName"], change)
        if had_keys:
            await self._needs.enforce_access()

    async def _change(self, caller: Caller, name: str, change: Callable[[Transaction, Endpoint], Endpoint]) -> str:
        """Load, change, save, wake; again from the start if a loop has saved in between. The endpoint's ARN."""

        def work(tx: Transaction) -> Endpoint:
            endpoint = tx.endpoints.get(EndpointKey(caller.region, name))
            if endpoint is None:
                raise not_found(Kind.ENDPOINT, self._arn(Kind.ENDPOINT, caller, name))
            try:
                return tx.endpoints.swap(change(tx, endpoint))
            except changes.IllegalTransition:
                failed = endpoint.status is EndpointStatus.FAILED
                raise (failed_endpoint if failed else in_progress)(endpoint.arn) from None

        while True:
            try:
                saved = await self._store.run(work)
            except StaleVersion:
                continue
            self._needs.wake(saved.key)
            return saved.arn

    def _config(self, tx: Transaction, caller: Caller, name: str) -> Document:
        config = tx.endpoint_configs.get(caller.region, name)
        if config is None:
            raise not_found(Kind.ENDPOINT_CONFIG, self._arn(Kind.ENDPOINT_CONFIG, caller, name))
        return config


def _read_variant_changes(request: UpdateEndpointWeightsAndCapacitiesInput) -> dict[str, changes.VariantChange]:
    wanted: dict[str, changes.VariantChange] = {}
    for change in request["DesiredWeightsAndCapacities"]:
        name = change["VariantName"]
        if name in wanted:
            raise invalid(f"DesiredWeightsAndCapacities names the variant '{name}' more than once.")
        serverless = change.get("ServerlessUpdateConfig", {})
        wanted[name] = changes.VariantChange(
            change.get("DesiredWeight"),
            change.get("DesiredInstanceCount"),
            serverless.get("MaxConcurrency"),
            serverless.get("ProvisionedConcurrency"),
        )
    return wanted
