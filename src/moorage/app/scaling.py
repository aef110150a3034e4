"""Puts together what scales variants."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from moorage.api.application_autoscaling import ApplicationAutoScaling
from moorage.api.application_autoscaling.part import Needs
from moorage.api.cloudwatch.tokens import PageTokens
from moorage.app.settings import Settings
from moorage.control.accounts import Accounts
from moorage.control.endpoints import Control
from moorage.control.scaling.loop import Scaling
from moorage.core.model import EndpointKey
from moorage.core.routes import EndpointRoute
from moorage.store.base import Store
from moorage.system.clock import Clock


async def open_scaling(
    settings: Settings,
    parts: contextlib.AsyncExitStack,
    *,
    store: Store,
    accounts: Accounts,
    control: Control,
    clock: Clock,
) -> Scaling:
    """Have variants scaled until `parts` is closed. Raises StoreUnavailable."""
    scaling = Scaling(
        store, clock, wake=control.wake, speed=settings.scaling_speed, instances_max=settings.instances_max
    )
    control.follow(scaling.on_decided, _no_matter)
    accounts.subscribe(scaling.on_traffic)
    await scaling.start()
    parts.push_async_callback(scaling.close)
    return scaling


def make_autoscaling_api(
    settings: Settings,
    scaling: Scaling,
    *,
    store: Store,
    token_key: bytes,
    alarms_changed: Callable[[], None],
    clock: Clock,
) -> ApplicationAutoScaling:
    """Application Auto Scaling's API. `alarms_changed` is called after every save of an alarm."""
    return ApplicationAutoScaling(
        Needs(
            store=store,
            clock=clock,
            account_id=settings.account_id,
            tokens=PageTokens(token_key),
            changed=scaling.look_at,
            alarms_changed=alarms_changed,
        )
    )


def _no_matter(_: EndpointKey, __: EndpointRoute | None) -> None:
    """Scaling goes by what is saved, not by what is published."""
