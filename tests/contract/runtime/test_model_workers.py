"""Several processes for one model, with real processes: fairness, deaths, ends, and calls that never return."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pickle
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_process import ServerProcess

pytest.importorskip("sklearn")
pytestmark = pytest.mark.slow

WHO_AM_I = """
import os, random, time

def model_fn(folder):
    return 1

def transform_fn(model, data, content_type, accept):
    if data.startswith("sleep"):
        time.sleep(float(data.split()[1]))
    if data == "random":
        return str(random.random()), "text/plain"
    if data == "count":
        return (f"{number} " for number in range(3)), "text/plain"
    if data == "exit":
        os._exit(3)
    return str(os.getpid()), "text/plain"
"""
REMEMBERING = """
import os
SESSIONS = {}

def model_fn(folder):
    return 1

def transform_fn(model, data, content_type, accept, context):
    session = context.get_request_header(0, "X-Amzn-SageMaker-Session-Id")
    if session == "NEW_SESSION":
        session = f"s{len(SESSIONS)}"
        context.set_response_header(0, "X-Amzn-SageMaker-New-Session-Id", f"{session}; Expires=x")
        SESSIONS[session] = 0
    SESSIONS[session] += 1
    if data == "close":
        context.set_response_header(0, "X-Amzn-SageMaker-Closed-Session-Id", session)
    if data == "stream":
        return (f"{number} " for number in range(3))
    return f"{os.getpid()} {SESSIONS[session]}", "text/plain"
"""
Start = Callable[..., ServerProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def start(script: str = WHO_AM_I, **environment: str) -> ServerProcess:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moorage-")))
            (folder / "code").mkdir()
            (folder / "code" / "inference.py").write_text(script)
            server = ServerProcess(folder, **environment)
            stack.callback(server.close)
            return server

        yield start


def test_an_estimator_that_would_take_every_processor_is_served_by_every_worker() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit([[0.0], [1.0]] * 50, [0, 1] * 50)
    with tempfile.TemporaryDirectory(prefix="moorage-") as folder:
        (Path(folder) / "model.pkl").write_bytes(pickle.dumps(model.set_params(n_jobs=None)))
        workers = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
        with contextlib.closing(ServerProcess(Path(folder), framework="lightgbm", **workers)) as server:
            assert 200 == server.ask(b"[[0.5]]")[0]
            assert "served by one process" not in server.log()


def test_connections_are_dealt_out_evenly(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="3")
    connections = [server.connect() for _ in range(30)]
    served = Counter(connection.ask(b'"who"')[1] for connection in connections)
    assert [10, 10, 10] == sorted(served.values())
    assert {str(pid).encode() for pid in server.children()} == set(served)
    assert 0 == server.stop()


def test_one_worker_is_the_instance_itself(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="1")
    assert str(server.process.pid).encode() == server.ask(b"who")[1]
    assert [] == server.children()
    assert 0 == server.stop()


def test_workers_draw_random_numbers_of_their_own_and_stream(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    connections = [server.connect() for _ in range(2)]
    drawn = {connection.ask(b"random")[1] for connection in connections}
    assert 2 == len(drawn)
    assert [(200, b"0 1 2 ")] * 2 == [connection.ask(b"count") for connection in connections]
    assert 0 == server.stop()


def test_a_killed_worker_fails_its_own_requests_only_and_is_replaced(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    connections = [server.connect() for _ in range(2)]
    (victim, survivor) = (int(connection.ask(b"who")[1]) for connection in connections)
    answers: list[bytes | None] = [None, None]

    def sleep(index: int, body: bytes) -> None:
        with contextlib.suppress(http.client.HTTPException, OSError):
            answers[index] = connections[index].ask(body)[1]

    threads = [threading.Thread(target=sleep, args=each) for each in ((0, b"sleep 3600"), (1, b"sleep 0.5"))]
    for thread in threads:
        thread.start()
    time.sleep(0.2)  # in which both have begun, as a rule
    os.kill(victim, signal.SIGKILL)
    for thread in threads:
        thread.join()

    assert [None, str(survivor).encode()] == answers
    server.wait_for(f"worker 1 (pid {victim}) was ended by SIGKILL; another takes its place")
    _until(lambda: 2 == len(server.children()))
    successor = next(pid for pid in server.children() if pid != survivor)
    assert str(successor).encode() == server.ask(b"who")[1]  # it has the fewest connections
    assert 0 == server.stop()


def test_a_session_stays_with_its_worker(start: Start) -> None:
    server = start(REMEMBERING, SAGEMAKER_MODEL_SERVER_WORKERS="3")
    _until(lambda: 3 == len(server.children()))  # the last one is begun when the one before it serves
    connections = [server.connect() for _ in range(3)]
    opened = {}
    for connection in connections:
        _, pid = connection.ask(b"", x_amzn_sagemaker_session_id="NEW_SESSION")
        opened[connection.fields["x-amzn-sagemaker-new-session-id"]] = pid.split()[0]
    assert ["s0-w1; Expires=x", "s0-w2; Expires=x", "s0-w3; Expires=x"] == sorted(opened)
    for count in (2, 3, 4):
        for connection, (session, pid) in zip(connections, opened.items(), strict=True):
            answer = connection.ask(b"", x_amzn_sagemaker_session_id=session.split(";")[0])
            assert (200, b"%b %d" % (pid, count)) == answer
        connections.append(connections.pop(0))  # for another worker's session each
    assert (200, b"0 1 2 ") == connections[0].ask(b"stream", x_amzn_sagemaker_session_id="s0-w2")
    connections[0].ask(b"close", x_amzn_sagemaker_session_id="s0-w3")
    assert "s0-w3" == connections[0].fields["x-amzn-sagemaker-closed-session-id"]
    status, body = connections[0].ask(b"", x_amzn_sagemaker_session_id="s0-w9")
    assert 500 == status
    assert {"error": "the process that had this session, worker 9, has ended"} == json.loads(body)


def test_what_is_in_flight_is_finished_at_the_end(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    connections = [server.connect() for _ in range(4)]
    for connection in connections:
        connection.ask(b"who")
    for connection in connections:
        connection.request("POST", "/invocations", b"sleep 0.5", {"content-type": "application/json"})
    for _ in range(2):
        server.connect().ask(b"", "/ping")  # of each worker: it has read all that was sent before
    assert 0 == server.stop()
    assert [200] * 4 == [connection.getresponse().status for connection in connections]


def test_no_worker_outlives_the_instance(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    workers = server.children()
    server.process.kill()
    server.process.wait()
    _until(lambda: not any(_is_alive(pid) for pid in workers))


def test_workers_that_die_in_a_row_end_the_instance(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="2")
    while server.process.poll() is None:
        with contextlib.suppress(http.client.HTTPException, OSError):
            server.ask(b"exit")
    assert 70 == server.process.returncode
    assert "ended with status 3, as those before it did soon after they began: the instance gives up" in server.log()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_is_stuck_is_ended_and_the_log_says_where(start: Start, workers: str) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS=workers, SAGEMAKER_MODEL_SERVER_TIMEOUT="2")
    pinging = server.connect()
    with pytest.raises((http.client.HTTPException, OSError)):
        server.ask(b"sleep 30")
    assert 'inference.py", line 9 in transform_fn' in server.log()
    if workers == "1":
        assert 1 == server.process.wait(60)
    else:
        server.wait_for("ended with status 1, as one does that is stuck in a call; another takes its place")
        assert 200 == pinging.ask(b"", "/ping")[0]
        assert 0 == server.stop()


def test_a_long_life_of_short_calls_is_no_hang(start: Start) -> None:
    server = start(SAGEMAKER_MODEL_SERVER_WORKERS="1", SAGEMAKER_MODEL_SERVER_TIMEOUT="3")
    connection = server.connect()
    for _ in range(8):
        assert 200 == connection.ask(b"sleep 0.5")[0]
    assert 0 == server.stop()


def test_a_model_with_threads_of_its_own_is_served_by_one_process(start: Start) -> None:
    threaded = WHO_AM_I.replace(
        "    return 1\n",
        "    import threading\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
    )
    server = start(threaded, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    assert [] == server.children()
    assert "served by one process and not 2: the model has begun threads, which cannot be forked" in server.log()
    assert 0 == server.stop()


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_workers_begin_where_a_forked_child_has_no_wakeup_descriptor(start: Start) -> None:
    """As on Python 3.12 and later: asyncio takes it back in every child."""
    take_back = "import os, signal\nos.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))\n"
    server = start(take_back + WHO_AM_I, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    assert int(server.ask(b"")[1]) in server.children()
    assert 0 == server.stop()
