"""What puts variants to sleep and wakes them, put together."""

from __future__ import annotations

from moorage.app.ground import Ground
from moorage.control.endpoints import Control
from moorage.control.sleeping import KeepsAtHand, Sleepers
from moorage.control.waking import Wakes
from moorage.system.wake_socket import WakeReceiver


def open_sleeping(ground: Ground, control: Control, runner: KeepsAtHand) -> None:
    """Have variants put to sleep and woken. To be called before `control` is started."""
    settings, store, clock, parts = ground.settings, ground.store, ground.clock, ground.parts
    wakes = Wakes(store, ground.sink, clock, wake=control.wake)
    parts.push_async_callback(wakes.close)
    sleepers = Sleepers(store, runner, clock, patience_s=settings.serverless_idle_s, wake=control.wake)
    control.follow(sleepers.on_decided, wakes.on_published)
    ground.accounts.subscribe(sleepers.on_traffic)
    receiver = WakeReceiver(settings.wake_socket, wakes.ask)
    receiver.open()
    parts.callback(receiver.close)
    sleepers.start()
    parts.push_async_callback(sleepers.close)
