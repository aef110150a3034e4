"""Puts together what scales variants."""

from __future__ import annotations

from collections.abc import Callable

from moorage.api.application_autoscaling import ApplicationAutoScaling
from moorage.api.application_autoscaling.part import Needs
from moorage.api.tokens import PageTokens
from moorage.app.ground import Ground
from moorage.control.endpoints import Control
from moorage.control.scaling.loop import Scaling
from moorage.core.model import EndpointKey
from moorage.core.routes import EndpointRoute


async def open_scaling(ground: Ground, control: Control) -> Scaling:
    """Have variants scaled. Raises StoreUnavailable."""
    settings = ground.settings
    scaling = Scaling(
        ground.store,
        ground.clock,
        wake=control.wake,
        speed=settings.scaling_speed,
        instances_max=settings.instances_max,
    )
    control.follow(scaling.on_decided, _no_matter)
    ground.accounts.subscribe(scaling.on_traffic)
    await scaling.start()
    ground.parts.push_async_callback(scaling.close)
    return scaling


def make_autoscaling_api(
    ground: Ground, scaling: Scaling, *, alarms_changed: Callable[[], None]
) -> ApplicationAutoScaling:
    """Application Auto Scaling's API. `alarms_changed` is called after every save of an alarm."""
    return ApplicationAutoScaling(
        Needs(
            store=ground.store,
            clock=ground.clock,
            account_id=ground.settings.account_id,
            tokens=PageTokens(ground.secrets.token_key),
            changed=scaling.look_at,
            alarms_changed=alarms_changed,
        )
    )


def _no_matter(_: EndpointKey, __: EndpointRoute | None) -> None:
    """Scaling goes by what is saved, not by what is published."""
