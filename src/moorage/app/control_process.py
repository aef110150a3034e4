"""The control process: the AWS APIs on a Unix socket, and the loop that makes the world match what they accepted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator, Mapping
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
from moorage.app.capacity import open_capacity
from moorage.app.notifying import make_sns, open_notifications
from moorage.app.observing import open_metrics_page
from moorage.app.scaling import make_autoscaling_api, open_scaling
from moorage.app.logs import open_logs
from moorage.app.settings import Settings
from moorage.app.signals import make_cloudwatch, open_alarms, open_metrics, open_sampler
from moorage.app.sleeping import open_sleeping
from moorage.control.access import AccessEnforcer
from moorage.control.accounts import Accounts
from moorage.control.alarms.actions import SCALING_PREFIX, TOPIC_PREFIX, Actions
from moorage.control.endpoints import Control
from moorage.control.fetching import Fetch, Say
from moorage.control.gateways import Gateways
from moorage.control.ledgers import Ledgers
from moorage.control.metrics.model_metrics import ModelMetrics
from moorage.control.principals import Principals
from moorage.control.publisher import Publisher, SnapshotFile
from moorage.control.scaling.alarm_action import ScalingAction
from moorage.control.supplies import Supplies
from moorage.core.model import EndpointKey, ModelData
from moorage.objects.model_data import CachedModelData, silently
from moorage.objects.model_sources import EmbeddedSource, ModelSource
from moorage.objects.object_cache import ObjectCache
from moorage.objects.object_fetcher import ObjectFetcher
from moorage.objects.store import ObjectStore, open_object_store
from moorage.runners.base import ModelFile, ModelFiles
from moorage.runners.process.client import ProcessRunner
from moorage.runners.process.multi_model.client import AgentDemands, AgentManyModels
from moorage.store.base import Store
from moorage.store.sql import open_store
from moorage.system.clock import SystemClock
from moorage.system.signals import KeyedSignal
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
    clock = SystemClock()
    changed = KeyedSignal[EndpointKey]()
    secrets = credentials.ensure_secrets(settings)
    store = await _open_store(settings, parts)
    metrics = await open_metrics(settings, store, clock, parts)
    accounts = await _open_accounts(settings, store, clock, parts)
    objects = await _open_objects(settings, clock, parts)
    model_data = await _open_model_data(settings, objects, clock, parts)
    runner = ProcessRunner(settings.agent_socket, clock)
    gateways = Gateways(settings.run_dir)
    parts.callback(gateways.close)
    secret_of = credentials.secret_of(secrets)
    root = credentials.root_holder(credentials.load(settings))
    principals = Principals(store, root=root, secret_of=secret_of)
    publisher = Publisher(
        SnapshotFile(settings.snapshot_path, key=secrets.snapshot_key),
        gateways,
        account_id=settings.account_id,
        access=await principals.load(),
    )
    access = AccessEnforcer(principals, publisher, clock)
    parts.push_async_callback(access.close)
    fetch = _fetch_with(model_data)
    capacity = await open_capacity(settings, store=store, runner=runner, clock=clock, parts=parts)
    control = Control(
        store=store,
        runner=runner,
        publisher=publisher,
        gateways=gateways,
        fetch=fetch,
        clock=clock,
        changed=changed,
        capacity=capacity,
    )
    open_sleeping(
        settings, parts, store=store, accounts=accounts, control=control, runner=runner, sink=metrics.sink, clock=clock
    )
    await control.start()
    parts.push_async_callback(control.close)
    open_sampler(publisher, store, runner, sink=metrics.sink, clock=clock, parts=parts)
    scaling = await open_scaling(settings, parts, store=store, accounts=accounts, control=control, clock=clock)
    notifier = await open_notifications(settings, parts, store=store, clock=clock)
    actions = Actions(
        {
            SCALING_PREFIX: ScalingAction(scaling, metrics.source, settings.scaling_speed),
            TOPIC_PREFIX: notifier.tell,
        }
    )
    alarms = open_alarms(parts, store=store, metrics=metrics, actions=actions, clock=clock)
    supplies = Supplies(AgentDemands(settings.agent_socket, clock), fetch, clock)
    supplies.open()
    parts.push_async_callback(supplies.close)
    many_models = AgentManyModels(settings.agent_socket)
    model_metrics = ModelMetrics(many_models, metrics.sink, clock=clock)
    model_metrics.open()
    parts.push_async_callback(model_metrics.close)
    hints = BackgroundTasks()
    parts.push_async_callback(hints.close)
    services = _services(
        settings,
        objects=objects,
        token_key=secrets.token_key,
        iam=Iam(IamNeeds(store=store, clock=clock, enforce=access.enforce, secret_of=secret_of)),
        own=[
            BearerKeys(store, clock=clock, enforce=access.enforce),
            MetricsKeys(store, clock=clock),
            Traffic(store, clock=clock),
            LoadedModels(store, many_models),
            Capacity(capacity),
            Costs(store, read_prices(settings.prices_file), clock=clock),
            make_cloudwatch(
                settings, store=store, metrics=metrics, alarms=alarms, token_key=secrets.token_key, clock=clock
            ),
            make_autoscaling_api(
                settings, scaling, store=store, token_key=secrets.token_key, alarms_changed=alarms.wake, clock=clock
            ),
            make_sns(settings, notifier, store=store, token_key=secrets.token_key, clock=clock),
            open_logs(settings, parts, store=store, sink=metrics.sink, clock=clock, ending=ending),
        ],
        sagemaker=SageMaker(
            store,
            clock=clock,
            account_id=settings.account_id,
            wake=control.wake,
            changed=changed,
            ready_counts=_ready_counter(publisher),
            model_data=model_data,
            prepare=lambda image: hints.start(runner.prepare(image), name=f"prepare {image}"),
            token_key=secrets.token_key,
            instances_max=settings.instances_max,
            enforce_access=access.enforce,
        ),
    )
    page = open_metrics_page(
        settings, store=store, runner=runner, publisher=publisher, capacity=capacity, clock=clock, parts=parts
    )
    return Api(services, principals.find, clock=clock, pages=[page, ConfirmingPage(store)])


def _services(
    settings: Settings,
    *,
    objects: ObjectStore,
    token_key: bytes,
    iam: Iam,
    own: list[Service],
    sagemaker: SageMaker,
) -> list[Service]:
    return [
        sagemaker,
        S3(objects, token_key=token_key),
        iam,
        *own,
        Sts(),
        SecretsManager(),
    ]


async def _open_store(settings: Settings, parts: contextlib.AsyncExitStack) -> Store:
    store = await asyncio.to_thread(open_store, settings.database_path)
    parts.push_async_callback(store.close)
    return store


async def _open_accounts(
    settings: Settings, store: Store, clock: SystemClock, parts: contextlib.AsyncExitStack
) -> Accounts:
    """What puts the gateways' counts into the store."""
    accounts = Accounts(store, Ledgers(settings.ledger_dir), clock=clock)
    await accounts.start()
    parts.push_async_callback(accounts.close)
    return accounts


async def _open_objects(settings: Settings, clock: SystemClock, parts: contextlib.AsyncExitStack) -> ObjectStore:
    folder = settings.data_dir
    objects = await open_object_store(folder / "objects", key_path=folder / "objects.key", clock=clock)
    parts.push_async_callback(objects.close)
    return objects


async def _open_model_data(
    settings: Settings, objects: ObjectStore, clock: SystemClock, parts: contextlib.AsyncExitStack
) -> CachedModelData:
    sources: list[ModelSource] = [EmbeddedSource(objects)]
    if settings.external_s3 is not None:
        from moorage.objects.external_source import ExternalSource  # boto3 takes a fifth of a second to import

        external = ExternalSource(settings.external_s3)
        parts.push_async_callback(external.close)
        sources.append(external)
    cache = ObjectCache(settings.data_dir / "archives", bytes_max=settings.archive_cache_bytes_max)
    fetcher = ObjectFetcher(cache, files=objects.files, clock=clock)
    await fetcher.prepare()
    parts.push_async_callback(fetcher.close)
    return CachedModelData(sources, fetcher)


def _fetch_with(model_data: CachedModelData) -> Fetch:
    async def fetch(data: ModelData, say: Say = silently) -> ModelFiles:
        local = await model_data.fetch(data, say)
        files = tuple(ModelFile(path, file.path) for path, file in local.files.items())
        return ModelFiles(data.form, local.digest, files)

    return fetch


def _ready_counter(publisher: Publisher) -> Callable[[EndpointKey], Mapping[str, int]]:
    def ready_counts(key: EndpointKey) -> Mapping[str, int]:
        route = publisher.published(key)
        return {variant.name: len(variant.instances) for variant in route.variants} if route else {}

    return ready_counts
