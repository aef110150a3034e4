"""ListLoadedModels: which models each instance of an endpoint has in memory, and what was counted of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from moorage.api.service import Caller, Service, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.moorage import (
    ListLoadedModelsInput,
    ListLoadedModelsOutput,
    LoadedModelsSummary,
    ModelStatistics,
)
from moorage.core.iam.principal import Requirement
from moorage.core.model import EndpointKey
from moorage.core.names import sagemaker_arn
from moorage.runners.base import RunnerError
from moorage.runners.many_models import ManyModels, Report, Summary
from moorage.store.base import Store


class LoadedModels(Service):
    """Asks the instances themselves: what is loaded changes from one request to the next."""

    name: ClassVar[str] = "moorage"

    def __init__(self, store: Store, many_models: ManyModels) -> None:
        self._store = store
        self._many_models = many_models

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The operation on the endpoint."""
        endpoint = sagemaker_arn(caller.region, caller.account_id, "endpoint", request["EndpointName"])
        return [Requirement(f"moorage:{operation}", endpoint)]

    @operation("ListLoadedModels")
    async def list_loaded_models(self, caller: Caller, request: ListLoadedModelsInput) -> ListLoadedModelsOutput:
        """As of now; nothing of an endpoint without multi-model containers."""
        key = EndpointKey(caller.region, request["EndpointName"])
        endpoint = await self._store.run(lambda tx: tx.endpoints.get(key))
        if endpoint is None:
            raise ServiceError("ResourceNotFound", f"There is no endpoint {key.name}.")
        try:
            reports = await self._many_models.report(endpoint.key)
        except RunnerError as error:
            raise ServiceError("ServiceUnavailable", str(error)) from error
        in_order = sorted(reports, key=lambda report: (report.shop.variant, report.shop.instance))
        return {"Instances": [_summary(report) for report in in_order]}


def _summary(report: Report) -> LoadedModelsSummary:
    return {
        "VariantName": report.shop.variant,
        "InstanceId": report.shop.instance,
        "ContainerName": report.shop.container,
        "Models": [
            {"TargetModel": model.name, "MemoryBytes": model.bytes, "Invocations": model.invocations}
            for model in report.models
        ],
        "Statistics": [_statistics(metric, summary) for metric, summary in sorted(report.statistics.items())],
    }


def _statistics(metric: str, summary: Summary) -> ModelStatistics:
    return {
        "MetricName": metric,
        "SampleCount": summary.count,
        "Sum": summary.total,
        "Minimum": summary.least,
        "Maximum": summary.most,
    }
