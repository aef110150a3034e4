"""What is there after a crash: whatever is killed, and whenever, nothing acknowledged is lost and nothing is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from moorage.testing.deployment import Deployer
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually

DELAYS_S = (0.0, 0.03, 0.1, 0.2)
MANY_DEATHS = 20
DISK_BYTES = 16 << 20

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    server = RunningMoorage(tmp_path / "data")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.mark.parametrize("part", ["control", "agent"])
def test_an_endpoint_comes_to_what_was_asked_for_whenever_a_part_is_killed(server, part):
    deployer = Deployer(server)
    for name in ("old", "new"):
        deployer.model(name, echo_archive(name))
        deployer.config(name, name, instances=2)
    sagemaker = deployer.sagemaker
    for number, delay_s in enumerate(DELAYS_S):
        name = f"e{number}"
        with _killed_after(delay_s, server, part):
            _insist(sagemaker.create_endpoint, EndpointName=name, EndpointConfigName="old")
        assert ("InService", 2) == (deployer.settled(name), len(server.pids("instance")))
        with _killed_after(delay_s, server, part):
            _insist(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName="new")
        assert ("InService", b"new") == (deployer.settled(name), deployer.invoke(name, b"{}"))
        assert 2 == len(server.pids("instance"))
        with _killed_after(delay_s, server, part):
            _insist(sagemaker.delete_endpoint, EndpointName=name)
        assert ("Deleted", []) == (deployer.settled(name), server.pids("instance"))
    assert [] == list((server.data_dir / "instances").glob("*i-*"))


def test_after_the_supervisor_is_killed_its_port_is_free_and_the_next_one_adopts_the_instances(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = sorted(server.pids("instance"))
    server.kill("supervisor")
    eventually(lambda: {"agent": 1, "nursery": 1, "i": 2} == _census(server))
    socket.create_server(("127.0.0.1", int(server.endpoint_url.rsplit(":", 1)[1]))).close()
    server.start()
    assert ("InService", b"here") == (deployer.settled("shop"), deployer.invoke("shop", b"{}"))
    server.kill("supervisor")
    server.start()  # at once: what the dead one started may still be about to end
    assert ("InService", b"here") == (deployer.settled("shop"), deployer.invoke("shop", b"{}"))
    assert before == sorted(server.pids("instance"))


@pytest.mark.parametrize("parts", [("supervisor",), ("supervisor", "agent")])
def test_down_after_a_crash_ends_what_is_left(server, parts):
    assert "InService" == Deployer(server).deploy("shop", echo_archive("here"), instances=2)
    for part in parts:
        server.kill(part)
    assert 2 == len(server.pids("instance"))
    server.stop()
    eventually(lambda: [] == server.processes())


def test_instances_that_alone_survive_are_adopted(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = sorted(server.pids("instance"))
    for part in ("supervisor", "control", "gateway", "agent", "nursery"):
        server.kill(part)
    eventually(lambda: {"i": 2} == _census(server))
    server.start()
    assert ("InService", b"here") == (deployer.settled("shop"), deployer.invoke("shop", b"{}"))
    assert before == sorted(server.pids("instance"))


def test_down_and_up_brings_every_endpoint_back_before_a_caller_could_notice(server):
    deployer = Deployer(server)
    for name in ("shop", "bank"):
        assert "InService" == deployer.deploy(name, echo_archive(name))
    server.stop()
    assert [] == server.processes()
    server.start()
    for name in ("shop", "bank"):
        assert name.encode() == deployer.invoke(name, b"{}")
        assert "InService" == deployer.settled(name)
    assert 2 == len(server.pids("instance"))


def test_removing_the_data_directory_ends_everything(server):
    assert "InService" == Deployer(server).deploy("shop", echo_archive("here"))
    eventually(lambda: _is_removed(server.data_dir))
    eventually(lambda: [] == server.processes())


def test_the_platforms_log_takes_bounded_room(server):
    log = server.data_dir / "moorage.log"
    os.truncate(log, 100 << 20)  # as if much had been said for years
    eventually(lambda: log.stat().st_size < 1 << 20)
    eventually(log.with_name("moorage.log.1").exists)
    assert 33 << 20 > log.with_name("moorage.log.1").stat().st_size >= 32 << 20
    server.kill("control")
    eventually(lambda: b"control was killed" in log.read_bytes())


def test_a_full_disk_is_a_retryable_error_and_costs_nothing(tmp_path):
    with _small_disk(tmp_path) as disk:
        server = RunningMoorage(disk / "data")
        server.start()
        deployer = Deployer(server)
        assert "InService" == deployer.deploy("shop", echo_archive("here"))
        deployer.config("before", "shop")
        _fill(disk / "filler")
        with pytest.raises(ClientError) as refused:
            deployer.config("refused", "shop")
        assert 503 == refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert b"here" == deployer.invoke("shop", b"{}")
        (disk / "filler").unlink()
        deployer.config("after", "shop")
        assert {"shop", "before", "after"} == _configs(server)
        _fill(disk / "filler")
        server.stop()
        assert [] == server.processes()


def test_nothing_acknowledged_is_lost_when_everything_is_killed_again_and_again(server):
    assert "InService" == Deployer(server).deploy("always", echo_archive("here"))
    kept = _configs(server)
    for cycle in range(MANY_DEATHS):
        kept |= _create_until_killed(server, cycle)
        server.start()
        survivors = _configs(server)
        assert kept <= survivors, f"lost in cycle {cycle}: {sorted(kept - survivors)}"
    deployer = Deployer(server)
    endpoints = [found["EndpointName"] for found in deployer.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]]
    assert ["InService"] * len(endpoints) == [deployer.settled(name) for name in endpoints]
    whole = {"supervisor": 1, "control": 1, "gateway": 2, "agent": 1, "nursery": 1, "i": len(endpoints)}
    eventually(lambda: whole == _census(server))


def _create_until_killed(server: RunningMoorage, cycle: int) -> set[str]:
    """Create resources for a while and SIGKILL everything in the middle of it; answers what was acknowledged."""
    deployer = Deployer(server)
    killer = threading.Timer(0.2 + cycle * 0.02, server.kill_everything)
    acknowledged: set[str] = set()
    killer.start()
    # Cut off at any point, a call fails in whatever way; what counts is what was acknowledged before.
    with contextlib.suppress(BotoCoreError, ClientError, OSError):
        deployer.model(f"m{cycle}", echo_archive(str(cycle)))
        for number in range(10_000):
            name = f"c{cycle}-{number}"
            deployer.config(name, f"m{cycle}")
            acknowledged.add(name)
            if number == 3:
                deployer.sagemaker.create_endpoint(EndpointName=f"e{cycle}", EndpointConfigName=name)
    killer.join()
    return acknowledged


@contextlib.contextmanager
def _killed_after(delay_s: float, server: RunningMoorage, part: str):
    killer = threading.Timer(delay_s, server.kill, [part])
    killer.start()
    yield
    killer.join()
    eventually(lambda: _is_up(server))


def _is_removed(folder: Path) -> bool:
    """Remove it; whether nothing was written to it meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _is_up(server: RunningMoorage) -> bool:
    with contextlib.suppress(BotoCoreError, ClientError):
        return bool(server.client("sagemaker").list_models())
    return False


def _insist(call, **arguments: str) -> None:
    """Make a call until it is answered, if only by a refusal because an earlier one was carried out unanswered."""

    def is_answered() -> bool:
        try:
            call(**arguments)
        except BotoCoreError:
            return False
        except ClientError as error:
            return 400 == error.response["ResponseMetadata"]["HTTPStatusCode"]
        return True

    eventually(is_answered)


def _census(server: RunningMoorage) -> dict[str, int]:
    """How many there are of each part; instances, not their workers."""
    parts = {seen.part.split("-")[0] for seen in server.processes()}
    return {part: len(server.pids("instance" if part == "i" else part)) for part in parts}


def _configs(server: RunningMoorage) -> set[str]:
    pages = server.client("sagemaker").get_paginator("list_endpoint_configs").paginate()
    return {config["EndpointConfigName"] for page in pages for config in page["EndpointConfigs"]}


@contextlib.contextmanager
def _small_disk(folder):
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _fill(path) -> None:
    """Write to `path` until not a single byte fits any more."""
    count = 1 << 20
    with open(path, "ab", buffering=0) as file:
        while count:
            try:
                count = count if file.write(bytes(count)) == count else count // 2
            except OSError:
                count //= 2
