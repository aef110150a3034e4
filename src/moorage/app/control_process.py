"""The control process: the AWS APIs on a Unix socket, and the loops that make the world match what they accepted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator
from pathlib import Path

import uvicorn
import uvloop

from moorage.api.bearer_keys import BearerKeys, MetricsKeys
from moorage.api.capacity import Capacity
from moorage.api.costs.prices import read_prices
from moorage.api.costs.service import Costs
from moorage.api.iam.part import Needs as IamNeeds
from moorage.api.iam.service import Iam
from moorage.api.loaded_models import LoadedModels
from moorage.api.s3.service import S3
from moorage.api.sagemaker import SageMaker
from moorage.api.secretsmanager.service import SecretsManager
from moorage.api.server import Api
from moorage.api.service import Service
from moorage.api.sns.confirming import ConfirmingPage
from moorage.api.sts.service import Sts
from moorage.api.traffic import Traffic
from moorage.app import credentials
from moorage.app.ground import Ground, open_ground
from moorage.app.hosting import Hosting, open_hosting
from moorage.app.logs import open_logs
from moorage.app.notifying import make_sns, open_notifications
from moorage.app.observing import open_metrics_page
from moorage.app.scaling import make_autoscaling_api, open_scaling
from moorage.app.settings import Settings
from moorage.app.signals import make_cloudwatch, open_alarms
from moorage.control.alarms.actions import SCALING_PREFIX, TOPIC_PREFIX, Actions
from moorage.control.scaling.alarm_action import ScalingAction
from moorage.system.tasks import BackgroundTasks

REQUEST_GRACE_S = 10
"""How long calls in progress may take to end once control has been told to."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with contextlib.AsyncExitStack() as parts:
        ending = asyncio.Event()
        api = await _assemble(settings, parts, ending)
        settings.control_socket.unlink(missing_ok=True)
        config = uvicorn.Config(
            api,
            uds=str(settings.control_socket),
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=REQUEST_GRACE_S,
        )
        server = _Server(config)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.end, ending)
        await server.serve()
        settings.control_socket.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn would raise them again, and end the process before it is closed.

    Its socket is its owner's alone: uvicorn makes sockets that anybody may write to.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _make_private(self.config.uds)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def end(self, ending: asyncio.Event) -> None:
        """Stop accepting, and return from `serve` when the calls in progress are over, the long ones by `ending`."""
        ending.set()
        self.should_exit = True


def _make_private(path: str | None) -> None:
    if path is not None:
        Path(path).chmod(0o600)


async def _assemble(settings: Settings, parts: contextlib.AsyncExitStack, ending: asyncio.Event) -> Api:
    """Open and start every part, the last one first to be closed. `ending` is set when long calls have to end."""
    ground = await open_ground(settings, parts)
    hosting = await open_hosting(ground)
    services = [
        _make_sagemaker(ground, hosting),
        S3(hosting.objects, token_key=ground.secrets.token_key),
        *_make_own(ground, hosting),
        *await _open_signalling(ground, hosting, ending),
        Iam(
            IamNeeds(
                store=ground.store,
                clock=ground.clock,
                enforce=hosting.access.enforce,
                secret_of=credentials.secret_of(ground.secrets),
            )
        ),
        Sts(),
        SecretsManager(),
    ]
    page = open_metrics_page(ground, hosting)
    return Api(
        services,
        hosting.principals.find,
        clock=ground.clock,
        pages=[page, ConfirmingPage(ground.store, clock=ground.clock)],
    )


def _make_sagemaker(ground: Ground, hosting: Hosting) -> SageMaker:
    hints = BackgroundTasks()
    ground.parts.push_async_callback(hints.close)
    return SageMaker(
        ground.store,
        clock=ground.clock,
        account_id=ground.settings.account_id,
        wake=hosting.control.wake,
        changed=hosting.changed,
        ready_counts=hosting.ready_counts,
        model_data=hosting.model_data,
        prepare=lambda image: hints.start(hosting.runner.prepare(image), name=f"prepare {image}"),
        token_key=ground.secrets.token_key,
        instances_max=ground.settings.instances_max,
        enforce_access=hosting.access.enforce,
    )


def _make_own(ground: Ground, hosting: Hosting) -> list[Service]:
    """The parts of the service `moorage`."""
    store, clock = ground.store, ground.clock
    return [
        BearerKeys(store, clock=clock, enforce=hosting.access.enforce),
        MetricsKeys(store, clock=clock),
        Traffic(store, clock=clock),
        LoadedModels(store, hosting.many_models),
        Capacity(hosting.capacity),
        Costs(store, read_prices(ground.settings.prices_file), clock=clock),
    ]


async def _open_signalling(ground: Ground, hosting: Hosting, ending: asyncio.Event) -> list[Service]:
    """Metrics, alarms, notifications, logs, and what scales by them."""
    scaling = await open_scaling(ground, hosting.control)
    notifier = await open_notifications(ground)
    actions = Actions(
        {
            SCALING_PREFIX: ScalingAction(scaling, ground.metrics, ground.settings.scaling_speed),
            TOPIC_PREFIX: notifier.tell,
        }
    )
    alarms = open_alarms(ground, actions)
    return [
        make_cloudwatch(ground, alarms),
        make_autoscaling_api(ground, scaling, alarms_changed=alarms.wake),
        make_sns(ground, notifier),
        open_logs(ground, ending),
    ]
