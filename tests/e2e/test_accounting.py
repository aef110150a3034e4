"""What is counted is what was sent, under 300 signed requests a second, open loop, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import collections
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from click.testing import CliRunner, Result

from moorage.app import lifecycle
from moorage.app.settings import ledger_dir_for, load_settings, run_dir_for
from moorage.cli.main import main
from moorage.core.model import EndpointKey
from moorage.store.sql import open_store
from moorage.telemetry.ledger_format import LEDGER_SUFFIX, PAGES_SUFFIX
from moorage.testing.deployment import Deployer
from moorage.testing.load import Report, run_for
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

RATE = 300.0
SHOP = EndpointKey("us-east-1", "Shop")
TAKEN_WITHIN_S = 15.0
"""As long as a count may take to be seen. A machine that is busy with other tests needs some of it."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("accounting") / "data")
    server.start()
    assert "InService" == Deployer(server).deploy("Shop", echo_archive("here"), instances=2)
    yield server
    server.stop()
    assert [] == server.processes()
    assert [] == left_behind(server)


def left_behind(server: RunningMoorage) -> list[Path]:
    """What still lies where the workers counted: a folder in shared memory or, where that is small, run/."""
    folder = ledger_dir_for(server.data_dir.resolve())
    if folder == run_dir_for(server.data_dir.resolve()):
        return [path for path in folder.glob("*") if path.suffix in {LEDGER_SUFFIX, PAGES_SUFFIX, ".new"}]
    return [folder] if folder.exists() else []


class Meter:
    """What has been counted of the endpoint since the meter was made."""

    def __init__(self, server: RunningMoorage) -> None:
        self._server = server
        self._start: tuple[int, ...] = (0,) * 4
        eventually(self._is_still)
        self._start = self.read() or self._start

    def read(self) -> tuple[int, ...] | None:
        """Invocations, and how many of them have a model and an overhead latency; None while control is away.

        The last is what CloudWatch says of the invocations.
        """
        try:
            totals = [each["Total"] for each in self._server.client("moorage").list_traffic()["Traffic"]]
            in_cloudwatch = _sum_of_invocations(self._server)
        except (BotoCoreError, ClientError):
            return None
        latencies = [[each.get(name, {}).get("SampleCount", 0) for each in totals] for name in LATENCIES]
        found = (sum(each["Invocations"] for each in totals), *map(sum, latencies), in_cloudwatch)
        return tuple(now - before for now, before in zip(found, self._start, strict=True))

    def _is_still(self) -> bool:
        """Whether all that went before has been counted."""
        before = self.read()
        time.sleep(1.2)
        return before is not None and before == self.read()

    def assert_comes_to(self, expected: int) -> None:
        eventually(lambda: (expected,) * 4 == self.read(), timeout_s=TAKEN_WITHIN_S)
        time.sleep(1.5)  # nor is anything counted again
        assert (expected,) * 4 == self.read()


def _sum_of_invocations(server: RunningMoorage) -> int:
    now = datetime.now(UTC)
    found = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": "Shop"}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return round(sum(each["Sum"] for each in found["Datapoints"]))


LATENCIES = ("ModelLatency", "OverheadLatency")


@pytest.fixture
def meter(server: RunningMoorage) -> Meter:
    return Meter(server)


def under_load(server: RunningMoorage, meanwhile: Callable[[], None], *, seconds: float = 0.0) -> Report:
    return asyncio.run(run_for(server.target("Shop"), rate=RATE, seconds=seconds, meanwhile=meanwhile))


def answered(report: Report) -> int:
    return report.statuses()[200]


def test_the_count_is_exact_over_restarts_of_control(server: RunningMoorage, meter: Meter) -> None:
    def meanwhile() -> None:
        for pause_s in (0.7, 2.0, 0.3):
            time.sleep(pause_s)
            server.kill("control")

    report = under_load(server, meanwhile, seconds=5.0)
    assert [] == report.failures
    meter.assert_comes_to(answered(report))


def test_the_count_is_exact_over_a_restart_of_everything(server: RunningMoorage, meter: Meter) -> None:
    settings = load_settings(server.data_dir)
    report = under_load(server, lambda: collections.deque(lifecycle.restart(settings), maxlen=0).clear())
    meter.assert_comes_to(answered(report))


def test_of_a_killed_worker_everything_that_was_answered_is_counted(server: RunningMoorage, meter: Meter) -> None:
    def meanwhile() -> None:
        for _ in range(3):
            time.sleep(0.9)
            kill_for_good(server.pids("gateway")[0])

    report = under_load(server, meanwhile, seconds=4.0)
    eventually(lambda: answered(report) <= (meter.read() or [0])[0], timeout_s=TAKEN_WITHIN_S)
    time.sleep(1.5)
    found = meter.read()
    assert found is not None
    assert answered(report) <= found[0] <= len(report.samples)


def test_nothing_that_was_answered_is_forgotten_when_everything_is_killed(server: RunningMoorage, meter: Meter) -> None:
    report = under_load(server, lambda: None, seconds=2.0)
    server.kill_everything()
    server.start()
    meter.assert_comes_to(answered(report))
    eventually(lambda: {200} == under_load(server, lambda: None, seconds=0.1).statuses().keys())


def test_after_an_end_in_order_nothing_is_left_to_count(server: RunningMoorage, meter: Meter) -> None:
    report = under_load(server, lambda: None, seconds=1.0)
    server.stop()
    assert [] == left_behind(server)
    server.start()
    meter.assert_comes_to(answered(report))
    eventually(lambda: {200} == under_load(server, lambda: None, seconds=0.1).statuses().keys())


def test_what_is_refused_for_its_signature_or_its_form_is_no_invocation(server: RunningMoorage, meter: Meter) -> None:
    runtime = server.client("sagemaker-runtime")
    stranger = {"AccessKeyId": "AKIASTRANGER", "SecretAccessKey": "made-up"}
    for caller, wishes in (
        (runtime, {"EndpointName": "Shop", "TargetVariant": "Unheard-of"}),
        (runtime, {"EndpointName": "Other"}),
        (server.client("sagemaker-runtime", key=stranger), {"EndpointName": "Shop"}),
    ):
        with pytest.raises(ClientError):
            caller.invoke_endpoint(Body=b"{}", **wishes)
    runtime.invoke_endpoint(EndpointName="Shop", Body=b"{}")
    meter.assert_comes_to(1)


def test_the_command_shows_what_was_counted(server: RunningMoorage, meter: Meter) -> None:
    meter.assert_comes_to(answered(under_load(server, lambda: None, seconds=0.5)))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["traffic", *arguments, "--data-dir", str(server.data_dir)])

    (everything,) = json.loads(run("--json").output)
    endpoints = run().output.splitlines()
    assert all(head in endpoints[0] for head in ("Endpoint", "Last 60 s", "Overhead p50", "In flight", "In total"))
    assert ("Shop", str(everything["Total"]["Invocations"])) == (endpoints[1].split()[0], endpoints[1].split()[-1])
    instances = run("shop", "--seconds", "3600").output.splitlines()
    assert any(line.startswith("AllTraffic  i-") for line in instances[1:])
    assert everything["Total"]["Invocations"] == sum(int(line.split()[-1]) for line in instances[1:])
    unknown = run("never")
    assert (1, True) == (unknown.exit_code, "There is no endpoint never" in unknown.output)


def test_while_control_stands_still_every_second_is_kept(server: RunningMoorage, meter: Meter) -> None:
    (control,) = server.pids("control")
    since_s = int(time.time())

    def meanwhile() -> None:
        time.sleep(1.0)
        os.kill(control, signal.SIGSTOP)
        time.sleep(8.0)
        os.kill(control, signal.SIGCONT)
        time.sleep(1.0)

    report = under_load(server, meanwhile)
    assert [] == report.failures
    meter.assert_comes_to(answered(report))
    server.stop()
    seconds = asyncio.run(_seconds(server.data_dir / "state.db", since_s))
    assert answered(report) == sum(seconds.values())
    # Only the first two seconds of the absence are one: it takes the second of them to notice.
    assert 2 >= max(later - earlier for earlier, later in itertools.pairwise(sorted(seconds)))
    assert RATE * 2.5 > max(seconds.values())


async def _seconds(database: Path, since_s: int) -> dict[int, int]:
    """The invocations in each second that had some."""
    store = open_store(database)
    try:
        counted = await store.run(lambda tx: tx.traffic.seconds(since_s, 2**62, endpoint=SHOP))
    finally:
        await store.close()
    seconds: collections.Counter[int] = collections.Counter()
    for at_s, _, tally in counted:
        seconds[at_s] += tally.invocations
    return dict(+seconds)
