"""The gateway workers of one port, under 300 signed requests a second, open loop, over connections to all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from moorage.app.orders import OrderRefused
from moorage.app.settings import run_dir_for
from moorage.cli.main import main
from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report
from moorage.testing.models import echo_archive, script_archive
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

RATE = 300.0
CONNECTIONS = 16
IN_FLIGHT_MAX = CONNECTIONS
"""Of one worker, when the machine stalls just then; otherwise two or three."""
BACK_WITHIN_S = 10.0
HUNG_NOTICED_WITHIN_S = 20.0

SLOW = script_archive(
    "import time\n"
    "def model_fn(model_dir): return None\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    time.sleep(4)\n"
    "    return 'late', 'text/plain'\n"
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("workers") / "data")
    server.start()
    assert "InService" == Deployer(server).deploy("shop", echo_archive("here"), instances=2)
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def server(shared_server: RunningMoorage) -> Iterator[RunningMoorage]:
    yield shared_server
    eventually(lambda: 2 == len(shared_server.pids("gateway")))
    eventually(lambda: 2 == len(_admin_sockets(shared_server)))


async def test_a_rolling_restart_loses_nothing_and_leaves_the_instances(server: RunningMoorage) -> None:
    before = {part: server.pids(part) for part in ("agent", "control", "gateway", "instance")}
    load = _load(server)
    await asyncio.sleep(0.5)
    restarted = await asyncio.to_thread(server.restart)
    await asyncio.sleep(0.5)
    report = await load.stop()
    assert [] == report.failures, _explain(report)
    assert ["agent", "control", "gateway-0", "gateway-1"] == restarted
    assert sorted(before["instance"]) == sorted(server.pids("instance"))
    for part in ("agent", "control", "gateway"):
        eventually(lambda part=part: set(before[part]).isdisjoint(server.pids(part)))


def test_callers_of_the_control_plane_wait_while_it_restarts(server: RunningMoorage) -> None:
    sagemaker = server.client("sagemaker")
    refusals = []
    with ThreadPoolExecutor(1) as pool:
        restart = pool.submit(server.restart)
        while not restart.done():
            try:
                assert sagemaker.list_models()["Models"]
            except ClientError as error:
                refusals.append(error)
    assert len(refusals) <= 1, refusals  # one that control was sent just as it closed, and has not read


async def test_restarts_again_and_again_lose_nothing(server: RunningMoorage) -> None:
    load = _load(server)
    for _ in range(3):
        await asyncio.to_thread(server.restart)
    report = await load.stop()
    assert [] == report.failures, _explain(report)


async def test_a_slow_request_outlives_the_worker_that_took_it(server: RunningMoorage) -> None:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("slow", SLOW)
    before = server.pids("gateway")
    answer = asyncio.create_task(asyncio.to_thread(deployer.invoke, "slow", b"{}"))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.restart)
    assert set(server.pids("gateway")) & set(before), "the request was over before the restart: this shows nothing"
    assert b"late" == await answer


async def test_a_killed_worker_costs_what_was_in_flight_on_it_and_is_back_at_once(server: RunningMoorage) -> None:
    for victim in server.pids("gateway"):
        [socket] = _admin_sockets(server, victim)
        load = _load(server)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(kill_for_good, victim)
        killed_at = load.elapsed
        await asyncio.to_thread(eventually, lambda victim=victim: _other_than(victim, server), timeout_s=BACK_WITHIN_S)
        await asyncio.sleep(1.5)
        report = await load.stop()
        assert len(report.failures) <= IN_FLIGHT_MAX, _explain(report)
        assert [] == [sample for sample in report.failures if sample.due > killed_at + 0.1], _explain(report)
        assert max(sample.latency for sample in report.samples) < BACK_WITHIN_S
        assert not socket.exists()


async def test_the_other_worker_goes_on_while_one_is_frozen_and_the_frozen_one_is_replaced(
    server: RunningMoorage,
) -> None:
    frozen, other = server.pids("gateway")
    os.kill(frozen, signal.SIGSTOP)
    load = _load(server)
    await asyncio.to_thread(eventually, lambda: frozen not in server.pids("gateway"), timeout_s=HUNG_NOTICED_WITHIN_S)
    report = await load.stop()
    assert other in server.pids("gateway")
    answered_at_once = [sample for sample in report.samples if sample.status == 200 and sample.latency < 1]
    assert len(answered_at_once) > RATE  # the new connections that the kernel gave to the other


async def test_workers_restart_from_the_snapshot_alone_while_control_is_away(server: RunningMoorage) -> None:
    [control] = server.pids("control")
    os.kill(control, signal.SIGSTOP)
    try:
        load = _load(server)
        victims = server.pids("gateway")
        for victim in victims:
            await asyncio.to_thread(kill_for_good, victim)
            await asyncio.to_thread(eventually, lambda victim=victim: _other_than(victim, server))
            await asyncio.sleep(0.5)
        report = await load.stop()
        assert len(report.failures) <= len(victims) * IN_FLIGHT_MAX, _explain(report)
        late = await _load_for(server, 1.0)  # every worker is one that has never spoken with control
        assert [] == late.failures, _explain(late)
    finally:
        os.kill(control, signal.SIGCONT)


def test_an_update_goes_through_while_workers_come_and_go(server: RunningMoorage) -> None:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("fickle", echo_archive("old"))
    deployer.model("new", echo_archive("new"))
    deployer.config("new", "new")
    deployer.sagemaker.update_endpoint(EndpointName="fickle", EndpointConfigName="new")
    kill_for_good(server.pids("gateway")[0])
    assert "InService" == deployer.settled("fickle")
    answers = {_answer_over_a_new_connection(server, "fickle") for _ in range(20)}
    assert {b"new"} == answers


def test_code_that_does_not_load_restarts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(broken), prepend=os.pathsep)
    server = RunningMoorage(tmp_path / "data")
    server.start()
    try:
        before = sorted(seen.pid for seen in server.processes())
        (broken / "uvloop.py").write_text("raise ImportError('half an upgrade')\n")
        said = CliRunner().invoke(main, ["restart", "--data-dir", str(server.data_dir)])
        assert 1 == said.exit_code
        assert "half an upgrade" in said.stderr
        assert before == sorted(seen.pid for seen in server.processes())
        (broken / "uvloop.py").unlink()
        server.restart()
    finally:
        server.stop()


def test_two_restarts_at_once_are_one(server: RunningMoorage) -> None:
    command = [sys.executable, "-m", "moorage.cli", "restart", "--data-dir", str(server.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline().split()[0] == "agent"
        with pytest.raises(OrderRefused, match="going on already"):
            server.restart()
        assert "Moorage has restarted." in first.stdout.read()


def test_a_second_moorage_does_not_get_the_port(server: RunningMoorage, tmp_path: Path) -> None:
    port = server.endpoint_url.rsplit(":", 1)[1]
    said = CliRunner().invoke(main, ["up", "--detach", "--port", port, "--data-dir", str(tmp_path / "rival")])
    assert 1 == said.exit_code
    assert f"Cannot listen on 127.0.0.1 port {port}" in said.stderr


def test_status_shows_each_worker(server: RunningMoorage) -> None:
    said = CliRunner().invoke(main, ["status", "--data-dir", str(server.data_dir)]).stdout
    for worker, pid in enumerate(sorted(server.pids("gateway"))):
        assert f"gateway-{worker}" in said
        assert f"pid {pid}" in said


def _load(server: RunningMoorage) -> Load:
    return Load(server.target("shop"), rate=RATE, connections=CONNECTIONS)


async def _load_for(server: RunningMoorage, seconds: float) -> Report:
    load = _load(server)
    await asyncio.sleep(seconds)
    return await load.stop()


def _admin_sockets(server: RunningMoorage, pid: int | str = "*") -> list[Path]:
    return list(run_dir_for(server.data_dir.resolve()).glob(f"gateway-*-{pid}.sock"))


def _other_than(victim: int, server: RunningMoorage) -> bool:
    """Whether two workers answer, and the victim is none of them."""
    pids = server.pids("gateway")
    return victim not in pids and 2 == len(pids) == len([pid for pid in pids if _admin_sockets(server, pid)])


def _answer_over_a_new_connection(server: RunningMoorage, endpoint: str) -> bytes:
    return Deployer(server).invoke(endpoint, b"{}")


def _explain(report: Report) -> str:
    return "\n".join(f"{s.due:.3f} {s.status} {s.error} {s.body[:200]!r}" for s in report.failures[:20])
