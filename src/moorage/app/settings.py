"""Settings: where they come from and what they mean. The only module that reads the environment.

The command line wins over `MOORAGE_*` variables, those over `moorage.toml` in the data directory, that over the
defaults. Child processes get the finished value from the supervisor and read nothing again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from moorage.api.costs.prices import PricesUnreadable, read_prices
from moorage.app.given import Given, SettingsError, converted, given_by_file, given_by_variables
from moorage.app.package_source import find_package_source
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.capacity import OVERCOMMIT, Offer, Resources
from moorage.core.notifications.addresses import parse_allowed
from moorage.gateway.waking import WakeMode
from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.runners.process.environments.source import PackageSource
from moorage.runners.process.settings import RequireIsolation
from moorage.system import machine

DEFAULT_PORT = 7070
SOCKET_PATH_BYTES_MAX = 100
"""A Unix socket's path has 108 bytes; the names below the run directory need some of them."""
_SHARED_MEMORY = Path("/dev/shm")
_SHARED_MEMORY_BYTES_MIN = 256 << 20
"""A container has 64 MiB of it unless told otherwise, and others may want some of these."""
_LONGEST_SOCKET_NAME = "/i/0123456789abcdef0.sock"
GATEWAY_WORKERS_MAX = 64
GATEWAY_WORKERS_DEFAULT_MAX = 4
"""A worker carries far more requests than models answer on one core, and each keeps the whole route table in memory."""
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "port": (0, 65_535),
    "gateway_workers": (1, GATEWAY_WORKERS_MAX),
    "instances_max": (1, 10_000),
    "instance_concurrency": (1, 10_000),
    "health_interval_s": (0.1, 3_600),
    "archive_cache_bytes_max": (0, 1 << 50),
    "instance_users_first": (1 << 16, (1 << 32) - (1 << 24)),
    "instance_users": (0, 1 << 20),
    "instance_processes_max": (64, 1 << 22),
    "instance_memory_bytes_max": (0, 1 << 50),
    "serverless_idle_s": (1, 86_400),
    "access_log_successes_per_s": (0, 100_000),
    "access_log_failures_per_s": (0, 100_000),
    "access_log_bytes_max": (1 << 20, 1 << 40),
    "log_bytes_max": (1 << 20, 1 << 50),
    "log_stream_bytes_max": (64 << 10, 1 << 50),
    "instance_log_bytes_per_s": (1 << 10, 1 << 40),
    "metrics_max": (1, 10_000_000),
    "metrics_bytes_max": (1 << 20, 1 << 50),
    "environments_bytes_max": (0, 1 << 50),
    "traces_per_s": (0, 10_000),
    "otlp_metrics_every_s": (1, 86_400),
    "overcommit_cpu": (0.01, 1_000_000),
    "overcommit_memory": (0.01, 1_000_000),
}
_URL: Final = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?")
_FOLDERS: Final = frozenset({"data_dir", "run_dir"})
"""Where moorage.toml itself is looked for, and what follows from that."""
_TABLES: Final = frozenset({"external_s3", "packages"})
"""What no single variable sets."""


def default_gateway_workers() -> int:
    """One for each processor that may be used, up to `GATEWAY_WORKERS_DEFAULT_MAX`."""
    return min(len(os.sched_getaffinity(0)), GATEWAY_WORKERS_DEFAULT_MAX)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything one Moorage is told from outside."""

    data_dir: Path
    run_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    region: str = "us-east-1"
    account_id: str = "123456789012"
    archive_cache_bytes_max: int = 4 << 30
    instances_max: int = 32
    """How many instances of one type an endpoint may have."""
    overcommit_cpu: float = OVERCOMMIT
    """How many times the machine's processors may be reserved by instances, as vCPUs of their types."""
    overcommit_memory: float = OVERCOMMIT
    """The same of its memory."""
    require_accelerators: bool = True
    """Whether instance types with accelerators need them; else such instances run on processors alone."""
    prices_file: str = ""
    """A file with the prices of instance types, for `moorage costs`; empty for the examples that come with Moorage."""
    health_interval_s: float = 5.0
    gateway_workers: int = field(default_factory=default_gateway_workers)
    instance_concurrency: int = 64
    """How many requests an instance is asked at once, over all gateway workers, unless its container says another."""
    scaling_speed: ScalingSpeed = ScalingSpeed.FAST
    """`compatible`: capacity follows after minutes, by the service's own rule."""
    wake_mode: WakeMode = WakeMode.HOLD
    """`strict`: requests to a variant without instances are refused as AWS does, instead of held until it is awake."""
    serverless_idle_s: int = 300
    """How long a serverless variant is asked nothing before its instance is stopped."""
    access_log_successes_per_s: int = 10
    """About how many invocations a second, of those that succeed, a gateway worker writes into the access log."""
    access_log_failures_per_s: int = 100
    """And at most how many of the others."""
    access_log_bytes_max: int = 64 << 20
    """Of the log and the one before it together."""
    log_bytes_max: int = 4 << 30
    """Of all log streams together: beyond it the oldest give way, those of instances that have gone first."""
    log_stream_bytes_max: int = 256 << 20
    """Of one log stream, beyond which it loses its oldest lines."""
    instance_log_bytes_per_s: int = 1 << 20
    """How much an instance may log, over ten seconds; what is beyond is left out, and the log says how much."""
    otlp_endpoint: str = ""
    """The address of a collector, such as `http://127.0.0.1:4318`, for traces and metrics; empty sends none."""
    traces_per_s: int = 10
    """About how many invocations a second a gateway worker begins a trace for, beside those that callers trace."""
    otlp_metrics_every_s: int = 60
    metrics_max: int = 100_000
    """How many metrics may be kept that were put, each in one unit; those of the traffic are not among them."""
    metrics_bytes_max: int = 4 << 30
    """How much of their file they may fill before no more are taken."""
    notification_hosts: str = ""
    """Where notifications may go besides public addresses: host names, addresses and networks, with commas between."""
    public_url: str = ""
    """Where subscribers reach this Moorage, to confirm; by default `host` and `port`."""
    require_isolation: RequireIsolation = RequireIsolation.AVAILABLE
    """`strict`: instances are not started where this machine cannot isolate them as it should."""
    instance_users_first: int = 700_000
    """The first of the uids, and gids, that instances run as if Moorage is root. No account may be among them."""
    instance_users: int = 65_536
    """How many of them; 0 lets instances run as Moorage's own user."""
    instance_processes_max: int = 4096
    """Processes and threads together that each of these users may have."""
    instance_memory_bytes_max: int = 0
    """Memory that the model server of a container may use, with all it starts; 0 is no limit but the machine's."""
    external_s3: ExternalEndpoint | None = None
    """Where model data is read from if its bucket is not one of ours."""
    packages: PackageSource = field(default_factory=PackageSource)
    """Where the packages of models' environments come from; by default from where uv or pip would have them here."""
    environments_bytes_max: int = 20 << 30
    """Beyond which environments are removed that no instance runs in."""

    @property
    def offer(self) -> Offer:
        """What this machine offers to instances."""
        has = Resources(machine.processors(), machine.memory_bytes(), machine.gpus())
        return Offer(has, self.overcommit_cpu, self.overcommit_memory, needs_accelerators=self.require_accelerators)

    @property
    def address_for_subscribers(self) -> str:
        """The beginning of the URLs that notifications lead to."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def credentials_path(self) -> Path:
        return self.data_dir / "credentials.json"

    @property
    def secrets_path(self) -> Path:
        return self.data_dir / "secrets.json"

    @property
    def database_path(self) -> Path:
        return self.data_dir / "state.db"

    @property
    def metrics_path(self) -> Path:
        """The metrics that were put."""
        return self.data_dir / "metrics.db"

    @property
    def logs_dir(self) -> Path:
        """Log streams of instances."""
        return self.data_dir / "logs"

    @property
    def environments_dir(self) -> Path:
        """The Pythons that models run in, built when first wanted: it can be removed while nothing runs."""
        return self.data_dir / "environments"

    @property
    def platform_log_path(self) -> Path:
        """What Moorage's own processes say when no terminal listens."""
        return self.data_dir / "moorage.log"

    @property
    def access_log_path(self) -> Path:
        """A line of JSON for a sample of the invocations; the file before it has the suffix `.1`."""
        return self.data_dir / "access.log"

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "control.sock"

    @property
    def supervisor_socket(self) -> Path:
        """Where the `moorage` command asks the supervisor for something."""
        return self.run_dir / "supervisor.sock"

    def gateway_socket(self, worker: int, pid: int) -> Path:
        """Where control tells a gateway worker about new routes. A worker and its successor have different ones."""
        return self.run_dir / f"gateway-{worker}-{pid}.sock"

    @property
    def agent_socket(self) -> Path:
        return self.run_dir / "agent.sock"

    @property
    def wake_socket(self) -> Path:
        """Where gateways ask control to wake a variant."""
        return self.run_dir / "wake.sock"

    @property
    def turnstile_path(self) -> Path:
        """Where gateway workers hold each other to a serverless variant's MaxConcurrency."""
        return self.run_dir / "turnstile"

    @property
    def ledger_dir(self) -> Path:
        """Where gateway workers count, for control to read."""
        return ledger_dir_for(self.data_dir)

    @property
    def snapshot_path(self) -> Path:
        return self.data_dir / "routes.json"

    @property
    def state_path(self) -> Path:
        """Who supervises now, and on which port: written when ready, removed at a clean end."""
        return self.run_dir / "supervisor.json"


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """The user's state directory, by the XDG rules."""
    variables = os.environ if environment is None else environment
    chosen = variables.get("MOORAGE_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    base = variables.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "moorage"


def load_settings(data_dir: Path | None = None, port: int | None = None) -> Settings:
    """Settings of the Moorage in `data_dir`. Raises SettingsError, naming the setting."""
    folder = (data_dir or default_data_dir()).expanduser().resolve()
    names = set(Settings.__dataclass_fields__) - _FOLDERS
    given = given_by_file(folder / "moorage.toml", names) | given_by_variables(os.environ, names - _TABLES)
    given["packages"] = _packages(given.get("packages"))
    if port is not None:
        given["port"] = Given(port, "--port")
    settings = Settings(data_dir=folder, run_dir=run_dir_for(folder), **converted(given, Settings))
    return _checked(_with_prices_found(settings))


def run_dir_for(data_dir: Path) -> Path:
    """Where sockets live: inside the data directory unless its path is too long for a socket's."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) + len(_LONGEST_SOCKET_NAME) <= SOCKET_PATH_BYTES_MAX:
        return inside
    return Path("/tmp") / _name_for(data_dir)


def ledger_dir_for(data_dir: Path) -> Path:
    """In memory, where the machine has room there: a page that is being written to a disk holds up who counts in it."""
    try:
        memory = os.statvfs(_SHARED_MEMORY)
    except FileNotFoundError:
        return run_dir_for(data_dir)
    has_room = memory.f_blocks * memory.f_frsize >= _SHARED_MEMORY_BYTES_MIN
    return _SHARED_MEMORY / _name_for(data_dir) if has_room else run_dir_for(data_dir)


def _name_for(data_dir: Path) -> str:
    """A folder's name outside the data directory, no other user's and no other Moorage's."""
    return f"moorage-{os.getuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"


def dump(settings: Settings) -> bytes:
    """For a child process, see `restore`."""
    return msgspec.json.encode(settings, enc_hook=str)


def restore(data: bytes) -> Settings:
    """What `dump` wrote."""
    return msgspec.json.decode(data, type=Settings, dec_hook=lambda kind, value: kind(value))


def with_port(settings: Settings, port: int) -> Settings:
    """The same settings on the port that was really bound."""
    return replace(settings, port=port)


def _packages(given: Given | None) -> Given:
    """What the machine says of packages, with what moorage.toml says in front."""
    if given is None:
        return Given(find_package_source(os.environ), "the environment")
    if not isinstance(given.value, Mapping):
        return given
    return replace(given, value={**find_package_source(os.environ), **given.value})


def _with_prices_found(settings: Settings) -> Settings:
    """A relative path is meant from the data directory, since commands are run from anywhere."""
    if not settings.prices_file:
        return settings
    path = settings.data_dir / Path(settings.prices_file).expanduser()
    return replace(settings, prices_file=str(path))


def _checked(settings: Settings) -> Settings:
    for name, (least, most) in _RANGES.items():
        if not least <= (value := getattr(settings, name)) <= most:
            raise SettingsError(f"{name} must be between {least} and {most}, not {value}")
    if not settings.host.strip():
        raise SettingsError("host must not be empty: 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in")
    if not re.fullmatch(r"\d{12}", settings.account_id):
        raise SettingsError(f"account_id must be 12 digits, not {settings.account_id!r}")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", settings.region):
        raise SettingsError(f"region must look like us-east-1, not {settings.region!r}")
    _check_external_s3(settings.external_s3)
    _check_collector(settings.otlp_endpoint)
    _check_prices(settings.prices_file)
    _check_notifications(settings)
    return settings


def _check_notifications(settings: Settings) -> None:
    try:
        parse_allowed(settings.notification_hosts)
    except ValueError as error:
        raise SettingsError(f"notification_hosts: {error}") from None
    if settings.public_url and not _URL.fullmatch(settings.public_url):
        raise SettingsError(f"public_url must look like https://models.example.com, not {settings.public_url!r}")


def _check_external_s3(endpoint: ExternalEndpoint | None) -> None:
    url = endpoint.endpoint_url if endpoint else None
    if url is not None and not _URL.fullmatch(url):
        raise SettingsError(f"external_s3.endpoint_url must look like https://s3.example.com, not {url!r}")


def _check_collector(endpoint: str) -> None:
    if not endpoint:
        return
    if not _URL.fullmatch(endpoint):
        raise SettingsError(f"otlp_endpoint must look like http://127.0.0.1:4318, not {endpoint!r}")
    if importlib.util.find_spec("opentelemetry") is None:
        raise SettingsError("otlp_endpoint needs OpenTelemetry: pip install 'moorage[otel]'")


def _check_prices(path: str) -> None:
    try:
        read_prices(path)
    except PricesUnreadable as error:
        raise SettingsError(str(error)) from None
