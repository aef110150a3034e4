"""A real Moorage in a folder of its own, for tests and benchmarks: started, called, killed, looked at."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from moorage.app import credentials, lifecycle
from moorage.app.settings import Settings, load_settings
from moorage.aws.client_session import make_session
from moorage.gateway.asking import INVOCATION_S
from moorage.testing.agent import kill
from moorage.testing.load import Target

GONE_TIMEOUT_S: Final = 60.0
PATIENCE_S: Final = 180.0
"""How long to wait for what takes a moment, on a machine that does ten other things."""
_PARTS: Final = ("supervisor", "control", "gateway", "agent")


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process that belongs to a Moorage. `part` is `supervisor`, `control`, …, `nursery`, or an instance id."""

    pid: int
    part: str


class RunningMoorage:
    """One Moorage on `data_dir`, on a port that stays the same over restarts, the same on every machine."""

    def __init__(self, data_dir: Path, *, region: str = "us-east-1", gateway_workers: int = 2) -> None:
        self.data_dir = data_dir
        self.region = region
        self._gateway_workers = gateway_workers
        self._port = 0

    def start(self) -> None:
        """Start it detached and return when it is ready. Raises SupervisorError."""
        found = lifecycle.start_detached(self._settings())
        assert found.endpoint_url is not None
        self._port = int(found.endpoint_url.rsplit(":", 1)[1])

    def restart(self) -> list[str]:
        """Exchange its processes under way, and answer the parts in order. Raises OrderRefused."""
        return [restarted.part for restarted in lifecycle.restart(self._settings())]

    def stop(self) -> None:
        """End it in order, instances included. After a crash, what it had counted is given up as well."""
        settings = self._settings()
        has_crashed = not lifecycle.status(settings).running
        lifecycle.stop(settings)
        if has_crashed:  # nobody will start it again
            shutil.rmtree(settings.ledger_dir, ignore_errors=True)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def client(self, service: str, *, region: str | None = None, key: Mapping[str, Any] | None = None) -> Any:
        """A boto3 client with the root key, or with one that CreateAccessKey answered.

        Retries are off, so that a test sees every failure, and it waits longer than the gateway does.
        """
        root = credentials.load(self._settings())
        return _session().client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=region or self.region,
            aws_access_key_id=key["AccessKeyId"] if key else root.access_key_id,
            aws_secret_access_key=key["SecretAccessKey"] if key else root.secret_access_key,
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=2 * INVOCATION_S),
        )

    def environment(self) -> dict[str, str]:
        """The variables a client program needs, in place of whatever AWS settings the caller has."""
        key = credentials.load(self._settings())
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def target(self, endpoint_name: str, **changes: Any) -> Target:
        """A load target with the root key."""
        key = credentials.load(self._settings())
        return Target(
            self.endpoint_url, endpoint_name, key.access_key_id, key.secret_access_key, region=self.region, **changes
        )

    def processes(self) -> list[ProcessSeen]:
        """Every living process that has a file of this Moorage open, with its part."""
        return [ProcessSeen(pid, part) for pid, part in _holders(self.data_dir)]

    def pids(self, part: str) -> list[int]:
        """The pids of one part: `supervisor`, `control`, `gateway`, `agent`, `nursery`, or `instance` for all.

        Of an instance with workers the one that has forked them, and of a part that is just starting another program
        the part alone: a fork looks like its parent until then.
        """
        found = [seen.pid for seen in self.processes() if part in (seen.part, _kind(seen.part))]
        return [pid for pid in found if _parent(pid) not in (None, *found)]

    def kill(self, part: str) -> list[int]:
        """SIGKILL every process of a part and return when it is gone; answers which."""
        pids = self.pids(part)
        for pid in pids:
            kill_for_good(pid)
        return pids

    def kill_everything(self) -> None:
        """SIGKILL all of it at once, instances included, and wait until it is gone."""
        deadline = time.monotonic() + GONE_TIMEOUT_S
        while found := self.processes():
            for seen in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(seen.pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TimeoutError(f"still there after SIGKILL: {found}")
            time.sleep(0.01)

    def _settings(self) -> Settings:
        return replace(load_settings(self.data_dir, self._port), gateway_workers=self._gateway_workers)


@functools.cache
def _session() -> Any:
    """One for all, because it keeps the service models that it has loaded."""
    return boto3.session.Session(botocore_session=make_session())


def eventually(condition: Callable[[], object], *, timeout_s: float = PATIENCE_S) -> None:
    """Return once `condition()` is true. Raises AssertionError if it is not in time.

    It may take as long as a machine that is busy with something else needs; how long it should take is for `bench/`.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {timeout_s} s")
        time.sleep(0.02)


def kill_for_good(pid: int) -> None:
    """`kill`, of a process that may have ended already."""
    with contextlib.suppress(ProcessLookupError):
        kill(pid)


def _kind(part: str) -> str:
    """`instance` for an instance id; any other part is of no kind but its own."""
    return "instance" if part.startswith("i-") else part


def _parent(pid: int) -> int | None:
    """The process that forked `pid`; None if that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _holders(folder: Path) -> Iterator[tuple[int, str]]:
    prefix = os.fspath(folder.resolve()) + "/"
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            mine = [name.removeprefix(prefix) for name in _open_files(entry) if name.startswith(prefix)]
            if mine:
                yield int(entry), _part(int(entry), mine)


def _open_files(pid: str) -> Iterator[str]:
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(f"/proc/{pid}/fd/{descriptor}")


def _part(pid: int, open_files: list[str]) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    part = next((part for part in _PARTS if part in command), None)
    if part is not None:  # the agent has now and then a file of an instance open, too
        return part
    for name in open_files:
        if name.startswith("instances/i-"):
            return name.split("/")[1]
    return "nursery" if any("moorage.runtime.nursery" in word for word in command) else "other"
