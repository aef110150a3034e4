"""The gateway workers of one port, under 300 signed requests a second, open loop, over connections to all of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from moorage.app.orders import OrderRefused
from moorage.app.settings import run_dir_for
from moorage.cli.main import main
from moorage.gateway.gateway import CONTROL_PATIENCE_S
from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report, Sample
from moorage.testing.models import echo_archive, script_archive
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

RATE = 300.0
CONNECTIONS = 16

HELD = script_archive(
    "import asyncio\n"
    "def model_fn(model_dir): return asyncio.Event()\n"
    "async def transform_fn(model, data, content_type, accept):\n"
    "    if data == 'go on':\n"
    "        model.set()\n"
    "    print('asked', flush=True)\n"
    "    await model.wait()\n"
    "    return 'late', 'text/plain'\n"
)
"""Answers nobody before it is told to."""

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
    hasty = []
    with ThreadPoolExecutor(1) as pool:
        restart = pool.submit(server.restart)
        while not restart.done():
            begun = time.monotonic()
            try:
                assert sagemaker.list_models()["Models"]
            except ClientError as error:
                if time.monotonic() - begun < CONTROL_PATIENCE_S:  # else the machine is slow, and it was waited for
                    hasty.append(error)
    assert len(hasty) <= 1, hasty  # one that control was sent just as it closed, and has not read


async def test_restarts_again_and_again_lose_nothing(server: RunningMoorage) -> None:
    load = _load(server)
    for _ in range(2):  # the second while those before the first still make way
        await asyncio.to_thread(server.restart)
    report = await load.stop()
    assert [] == report.failures, _explain(report)


async def test_a_slow_request_outlives_the_worker_that_took_it(server: RunningMoorage) -> None:
    deployer = Deployer(server)
    one_worker = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    assert "InService" == await asyncio.to_thread(deployer.deploy, "held", HELD, Environment=one_worker)
    before = server.pids("gateway")
    answer = asyncio.create_task(asyncio.to_thread(_held, server, b"wait"))
    await asyncio.to_thread(eventually, lambda: _is_asked(server))
    await asyncio.to_thread(server.restart)
    await asyncio.to_thread(eventually, lambda: 1 == len(set(server.pids("gateway")) & set(before)))
    assert b"late" == await asyncio.to_thread(_held, server, b"go on") == await answer
    await asyncio.to_thread(deployer.delete, "held")


def _held(server: RunningMoorage, body: bytes) -> bytes:
    runtime = server.client("sagemaker-runtime")
    return bytes(runtime.invoke_endpoint(EndpointName="held", Body=body, ContentType="text/plain")["Body"].read())


def _is_asked(server: RunningMoorage) -> bool:
    """Whether the model has the request."""
    events = server.client("logs").filter_log_events(logGroupName="/aws/sagemaker/Endpoints/held")["events"]
    return "asked" in [event["message"] for event in events]


async def test_a_killed_worker_costs_what_was_in_flight_on_it_and_is_back(server: RunningMoorage) -> None:
    for victim in server.pids("gateway"):
        [socket] = _admin_sockets(server, victim)
        load = _load(server)
        await asyncio.sleep(0.5)
        begun = load.elapsed
        await asyncio.to_thread(kill_for_good, victim)
        killed = [(begun, load.elapsed)]
        await asyncio.to_thread(eventually, lambda victim=victim: _other_than(victim, server))
        await asyncio.sleep(1.5)
        report = await load.stop()
        assert [] == [failure for failure in report.failures if not _is_cut(failure, killed)], _explain(report)
        assert not socket.exists()


async def test_the_other_worker_goes_on_while_one_is_frozen_and_the_frozen_one_is_replaced(
    server: RunningMoorage,
) -> None:
    frozen, other = server.pids("gateway")
    os.kill(frozen, signal.SIGSTOP)
    load = _load(server)
    await asyncio.to_thread(eventually, lambda: frozen not in server.pids("gateway"), timeout_s=90.0)
    report = await load.stop()
    assert other in server.pids("gateway")
    answered_at_once = [sample for sample in report.samples if sample.status == 200 and sample.served_in < 1]
    assert len(answered_at_once) > RATE  # the new connections that the kernel gave to the other


async def test_workers_restart_from_the_snapshot_alone_while_control_is_away(server: RunningMoorage) -> None:
    [control] = server.pids("control")
    os.kill(control, signal.SIGSTOP)
    try:
        load = _load(server)
        killed = []
        for victim in server.pids("gateway"):
            begun = load.elapsed
            await asyncio.to_thread(kill_for_good, victim)
            killed.append((begun, load.elapsed))
            await asyncio.to_thread(eventually, lambda victim=victim: _other_than(victim, server))
            await asyncio.sleep(0.5)
        report = await load.stop()
        assert [] == [failure for failure in report.failures if not _is_cut(failure, killed)], _explain(report)
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
        before = _pids(server)
        (broken / "uvloop.py").write_text("raise ImportError('half an upgrade')\n")
        said = CliRunner().invoke(main, ["restart", "--data-dir", str(server.data_dir)])
        assert 1 == said.exit_code
        assert "half an upgrade" in said.stderr
        assert before == _pids(server)
        (broken / "uvloop.py").unlink()
        server.restart()
    finally:
        server.stop()


def _pids(server: RunningMoorage) -> dict[str, list[int]]:
    return {part: sorted(server.pids(part)) for part in ("supervisor", "agent", "control", "gateway")}


def test_two_restarts_at_once_are_one(server: RunningMoorage) -> None:
    command = [sys.executable, "-m", "moorage.cli", "restart", "--data-dir", str(server.data_dir)]
    [control] = server.pids("control")
    os.kill(control, signal.SIGSTOP)  # so that the first does not come to its end before the second is asked for
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout is not None
            assert first.stdout.readline().split()[0] == "agent"
            with pytest.raises(OrderRefused, match="going on already"):
                server.restart()
            os.kill(control, signal.SIGCONT)
            assert "Moorage has restarted." in first.stdout.read()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(control, signal.SIGCONT)


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


def _is_cut(failure: Sample, killed: Sequence[tuple[float, float]]) -> bool:
    """Whether it was on its way while a worker was killed: times begun and done."""
    return any(failure.due <= done + 0.1 and failure.finished >= begun for begun, done in killed)


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
    return bytes(server.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"{}")["Body"].read())


def _explain(report: Report) -> str:
    return "\n".join(f"{s.due:.3f} {s.status} {s.error} {s.body[:200]!r}" for s in report.failures[:20])
