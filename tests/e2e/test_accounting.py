"""What is counted is what was sent, under 300 signed requests a second, open loop, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import collections
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
AWAY_S = 8.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("accounting") / "data")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()
    assert [] == left_behind(server)


@pytest.fixture
def shop(server: RunningMoorage, request: pytest.FixtureRequest) -> Iterator[str]:
    """An endpoint that nobody else has asked anything."""
    name = request.node.name.removeprefix("test_").title().replace("_", "-")[:40].strip("-")
    assert "InService" == Deployer(server).deploy(name, echo_archive("here"), instances=2)
    yield name
    Deployer(server).delete(name)


def left_behind(server: RunningMoorage) -> list[Path]:
    """What still lies where the workers counted: a folder in shared memory or, where that is small, run/."""
    folder = ledger_dir_for(server.data_dir.resolve())
    if folder == run_dir_for(server.data_dir.resolve()):
        return [path for path in folder.glob("*") if path.suffix in {LEDGER_SUFFIX, PAGES_SUFFIX, ".new"}]
    return [folder] if folder.exists() else []


class Meter:
    """What has been counted of an endpoint."""

    def __init__(self, server: RunningMoorage, endpoint: str) -> None:
        self._server = server
        self._endpoint = endpoint

    def read(self) -> tuple[int, ...] | None:
        """Invocations, and how many of them have a model and an overhead latency; None while control is away.

        The last is what CloudWatch says of the invocations.
        """
        try:
            rows = self._server.client("moorage").list_traffic()["Traffic"]
            in_cloudwatch = _sum_of_invocations(self._server, self._endpoint)
        except (BotoCoreError, ClientError):
            return None
        totals = [row["Total"] for row in rows if row["EndpointName"] == self._endpoint]
        latencies = [[each.get(name, {}).get("SampleCount", 0) for each in totals] for name in LATENCIES]
        return (sum(each["Invocations"] for each in totals), *map(sum, latencies), in_cloudwatch)

    def assert_comes_to(self, expected: int) -> None:
        eventually(lambda: (expected,) * 4 == self.read())
        time.sleep(1.5)  # nor is anything counted again
        assert (expected,) * 4 == self.read()


def _sum_of_invocations(server: RunningMoorage, endpoint: str) -> int:
    now = datetime.now(UTC)
    found = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return round(sum(each["Sum"] for each in found["Datapoints"]))


LATENCIES = ("ModelLatency", "OverheadLatency")


@pytest.fixture
def meter(server: RunningMoorage, shop: str) -> Meter:
    return Meter(server, shop)


def under_load(server: RunningMoorage, shop: str, meanwhile: Callable[[], None], *, seconds: float = 0.0) -> Report:
    return asyncio.run(run_for(server.target(shop), rate=RATE, seconds=seconds, meanwhile=meanwhile))


def answered(report: Report) -> int:
    return report.statuses()[200]


def test_the_count_is_exact_over_restarts_of_control(server: RunningMoorage, shop: str, meter: Meter) -> None:
    def meanwhile() -> None:
        for pause_s in (0.7, 2.0, 0.3):
            time.sleep(pause_s)
            server.kill("control")

    report = under_load(server, shop, meanwhile, seconds=5.0)
    assert [] == report.failures
    meter.assert_comes_to(answered(report))


def test_the_count_is_exact_over_a_restart_of_everything(server: RunningMoorage, shop: str, meter: Meter) -> None:
    settings = load_settings(server.data_dir)
    report = under_load(server, shop, lambda: collections.deque(lifecycle.restart(settings), maxlen=0).clear())
    meter.assert_comes_to(answered(report))


def test_of_a_killed_worker_everything_that_was_answered_is_counted(
    server: RunningMoorage, shop: str, meter: Meter
) -> None:
    def meanwhile() -> None:
        for _ in range(3):
            time.sleep(0.9)
            eventually(lambda: server.pids("gateway"))  # one at least, whenever those before are back
            kill_for_good(server.pids("gateway")[0])

    report = under_load(server, shop, meanwhile, seconds=4.0)
    eventually(lambda: answered(report) <= (meter.read() or [0])[0])
    time.sleep(1.5)
    found = meter.read()
    assert found is not None
    assert answered(report) <= found[0] <= len(report.samples)


def test_nothing_that_was_answered_is_forgotten_when_everything_is_killed(
    server: RunningMoorage, shop: str, meter: Meter
) -> None:
    report = under_load(server, shop, lambda: None, seconds=2.0)
    server.kill_everything()
    server.start()
    meter.assert_comes_to(answered(report))
    eventually(lambda: {200} == under_load(server, shop, lambda: None, seconds=0.1).statuses().keys())


def test_after_an_end_in_order_nothing_is_left_to_count(server: RunningMoorage, shop: str, meter: Meter) -> None:
    report = under_load(server, shop, lambda: None, seconds=1.0)
    server.stop()
    assert [] == left_behind(server)
    server.start()
    meter.assert_comes_to(answered(report))
    eventually(lambda: {200} == under_load(server, shop, lambda: None, seconds=0.1).statuses().keys())


def test_what_is_refused_for_its_signature_or_its_form_is_no_invocation(
    server: RunningMoorage, shop: str, meter: Meter
) -> None:
    runtime = server.client("sagemaker-runtime")
    stranger = {"AccessKeyId": "AKIASTRANGER", "SecretAccessKey": "made-up"}
    for caller, wishes in (
        (runtime, {"EndpointName": shop, "TargetVariant": "Unheard-of"}),
        (runtime, {"EndpointName": "Other"}),
        (server.client("sagemaker-runtime", key=stranger), {"EndpointName": shop}),
    ):
        with pytest.raises(ClientError):
            caller.invoke_endpoint(Body=b"{}", **wishes)
    runtime.invoke_endpoint(EndpointName=shop, Body=b"{}")
    meter.assert_comes_to(1)
    assert "Other" not in [row["EndpointName"] for row in server.client("moorage").list_traffic()["Traffic"]]


def test_the_command_shows_what_was_counted(server: RunningMoorage, shop: str, meter: Meter) -> None:
    meter.assert_comes_to(answered(under_load(server, shop, lambda: None, seconds=0.5)))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["traffic", *arguments, "--data-dir", str(server.data_dir)])

    (everything,) = [row for row in json.loads(run("--json").output) if row["EndpointName"] == shop]
    head, *endpoints = run().output.splitlines()
    assert all(each in head for each in ("Endpoint", "Last 60 s", "Overhead p50", "In flight", "In total"))
    total = everything["Total"]["Invocations"]
    assert [str(total)] == [words[-1] for words in map(str.split, endpoints) if words[0] == shop]
    instances = run(shop.lower(), "--seconds", "3600").output.splitlines()[1:]
    assert any(line.startswith("AllTraffic  i-") for line in instances)
    assert total == sum(int(line.split()[-1]) for line in instances)
    unknown = run("never")
    assert (1, True) == (unknown.exit_code, "There is no endpoint never" in unknown.output)


def test_while_control_stands_still_every_second_is_kept(server: RunningMoorage, shop: str, meter: Meter) -> None:
    (control,) = server.pids("control")

    def meanwhile() -> None:
        time.sleep(1.0)
        os.kill(control, signal.SIGSTOP)
        time.sleep(AWAY_S)
        os.kill(control, signal.SIGCONT)
        time.sleep(1.0)

    report = under_load(server, shop, meanwhile)
    assert [] == report.failures
    meter.assert_comes_to(answered(report))
    server.stop()
    seconds = asyncio.run(_seconds(server.data_dir / "state.db", EndpointKey(server.region, shop)))
    server.start()
    assert answered(report) == sum(seconds.values())
    # Otherwise all of the absence would be one second.
    assert len(seconds) > AWAY_S / 2
    assert max(seconds.values()) < answered(report) / 2


async def _seconds(database: Path, endpoint: EndpointKey) -> dict[int, int]:
    """The invocations in each second that had some."""
    store = open_store(database)
    try:
        counted = await store.run(lambda tx: tx.traffic.seconds(0, 2**62, endpoint=endpoint))
    finally:
        await store.close()
    seconds: collections.Counter[int] = collections.Counter()
    for at_s, _, tally in counted:
        seconds[at_s] += tally.invocations
    return dict(+seconds)
