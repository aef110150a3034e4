"""The SageMaker service, put together from its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from moorage.api.sagemaker.endpoint_configs import EndpointConfigs
from moorage.api.sagemaker.endpoints import Endpoints
from moorage.api.sagemaker.models import Models
from moorage.api.sagemaker.paging import PageTokens
from moorage.api.sagemaker.part import Needs
from moorage.api.sagemaker.tags import Tags
from moorage.core.model import EndpointKey
from moorage.objects.model_data import ModelDataChecks
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.system.signals import KeyedSignal

INSTANCES_MAX: Final = 32


class SageMaker(Models, EndpointConfigs, Endpoints, Tags):
    """SageMaker's hosting operations.

    `wake` is called after every save of an endpoint, and `changed` is notified after every save by a loop.
    `ready_counts` says how many instances of each variant of an endpoint's serving fleet answer. `model_data` is asked
    whether the data of a new model can be read; `prepare` is told the image of every new model, as a hint.
    `token_key` authenticates pagination tokens. `enforce_access` returns once the gateways go by what is stored of
    bearer keys. `instances_max` is how many instances of one type an endpoint may have.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        account_id: str,
        wake: Callable[[EndpointKey], None],
        changed: KeyedSignal[EndpointKey],
        ready_counts: Callable[[EndpointKey], Mapping[str, int]],
        model_data: ModelDataChecks,
        prepare: Callable[[str], None],
        token_key: bytes,
        enforce_access: Callable[[], Awaitable[None]],
        instances_max: int = INSTANCES_MAX,
    ) -> None:
        super().__init__(
            Needs(
                store=store,
                clock=clock,
                account_id=account_id,
                wake=wake,
                changed=changed,
                ready_counts=ready_counts,
                model_data=model_data,
                prepare=prepare,
                tokens=PageTokens(token_key),
                instances_max=instances_max,
                enforce_access=enforce_access,
            )
        )
