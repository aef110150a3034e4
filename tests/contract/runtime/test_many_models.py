"""An instance of many models on a real socket: the contract for containers, and what the agent and the gateway say."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import socket
import sys
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moorage.runtime.multi_model.annex.kind import AnnexedModels, Guest
from moorage.runtime.multi_model.annex.landlord import Annex, BothMemories
from moorage.runtime.multi_model.annex.process import serve_annex
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.lane import Crew
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.loading import Loader
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.room import Loaded
from moorage.runtime.multi_model.routes import begin_requests
from moorage.runtime.multi_model.shelf import Shelf, Slot
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.server import listen
from moorage.runtime.settings import Settings
from moorage.testing.models import IRIS_ROWS, iris_forest
from moorage.wire.client import Client
from moorage.wire.messages import WireError
from moorage.wire.server import bind

# Of two forests that predict at once in one process, scikit-learn takes the filters of one away from the other. What it
# then warns of is an error in tests. Instances have their annex in a process of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.sklearn.utils.parallel.delayed. should be used:UserWarning")

PLENTY = 1 << 40
ECHO = """
import helper
def model_fn(folder):
    return helper.name
def transform_fn(model, data, content_type, accept):
    return f"{model} got {data}", "text/plain"
"""

GATED = """
import helper, os, time
def model_fn(folder):
    while not os.path.exists(folder + "/gate"):
        time.sleep(0.01)
    return helper.name
def transform_fn(model, data, content_type, accept):
    return f"{model} got {data}", "text/plain"
"""
SLOW = """
import helper, time
def model_fn(folder):
    return helper.name
def transform_fn(model, data, content_type, accept):
    time.sleep(0.02)
    return f"{model} got {data}", "text/plain"
"""
ATTRIBUTES = """
def model_fn(folder):
    return None
def transform_fn(model, data, content_type, accept, context):
    sent = context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
    return f"{sent} {content_type}", "text/plain"
"""


class Said(NamedTuple):
    status: int
    body: str
    fields: dict[bytes, bytes]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Instance:
    """One that is being served, and its folder for models. Its annex is in the same process."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._socket = folder / "instance.sock"
        self._client = Client()
        self._crew = Crew(2)
        self._loaders = ThreadPoolExecutor(4)
        self._limits = limits
        self._settings = Settings()
        self.said: list[str] = []

    async def start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        serving = serve_annex(theirs, self._kind, threads=2, settings=self._settings)
        self.annex_life = asyncio.create_task(serving)
        self.annex = Annex(ours, body_bytes_max=self._settings.body_bytes_max)
        shelf: Shelf[Loaded] = Shelf(bytes_max=self._limits.bytes_max, count_max=self._limits.count_max)
        statistics = Statistics()
        own = self._kind(self._crew, self._loaders)
        loader = Loader(
            shelf,
            AnnexedModels(self.annex, own, body_bytes_max=self._settings.body_bytes_max),
            threads=self._loaders,
            limits=self._limits,
            memory=BothMemories(self.annex, os.getpid(), self._loaders),
            statistics=statistics,
        )
        self.models = Models(shelf, loader, limits=self._limits, statistics=statistics)
        self._server = await listen(begin_requests(self.models), bind(self._socket), 1 << 20)

    async def stop(self) -> None:
        self._client.close()
        await self._server.close(grace_s=5.0)
        self.annex.close()
        self.annex_life.cancel()
        await asyncio.wait([self.annex_life])
        self._crew.shutdown()
        self._loaders.shutdown()

    def _kind(self, crew: Crew, threads: Executor) -> FrameworkModels:
        return FrameworkModels("sklearn", {}, self._settings, crew=crew, threads=threads, say=self.said.append)

    def folder(self, name: str, *, script: str = ECHO) -> str:
        code = self._folder / name / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(script)
        (code / "helper.py").write_text(f"name = {name!r}\n")
        return os.fspath(code.parent)

    def forest(self, name: str) -> str:
        folder = self._folder / name
        folder.mkdir()
        (folder / "model.pkl").write_bytes(pickle.dumps(iris_forest()))
        return os.fspath(folder)

    async def ask(self, method: str, target: str, body: object = b"", **fields: str) -> Said:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [
            (b"Host", b"x"),
            *((name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()),
        ]
        answer = await self._client.request(
            os.fspath(self._socket), method.encode(), target.encode(), headers=headers, body=data
        )
        return Said(answer.status, (await answer.read(1 << 20)).decode(), dict(answer.headers))

    async def invoke(self, model: str, body: bytes = b"1") -> Said:
        fields = {"x_amzn_sagemaker_target_model": model, "content_type": "text/csv"}
        return await self.ask("POST", "/invocations", body, **fields)

    async def supply(self, model: str, version: str, folder: str) -> Said:
        hand = {"type": "supply", "model": model, "version": version, "folder": folder, "downloading_us": 7}
        return await self.ask("POST", "/moorage/models", hand)

    async def measured(self, known: int) -> Any:
        return (await self.ask("GET", f"/moorage/measured?known={known}")).json

    async def wanted(self, known: int = -1) -> list[tuple[str, str | None, bool]]:
        wants = (await self.ask("GET", f"/moorage/wants?known={known}&wait=20")).json["wants"]
        return [(want["model"], want["version"], want["hurry"]) for want in wants]


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    return getattr(request, "param", Limits(PLENTY))


@pytest.fixture
async def instance(tmp_path: Path, limits: Limits) -> AsyncIterator[Instance]:
    interval_s = sys.getswitchinterval()  # which the annex sets for its whole process
    instance = Instance(tmp_path, limits)
    await instance.start()
    yield instance
    await instance.stop()
    sys.setswitchinterval(interval_s)


def is_guest(slot: Slot[Loaded]) -> bool:
    return isinstance(slot.model.model, Guest)


async def test_the_life_of_a_model_by_the_contract_for_containers(instance: Instance) -> None:
    folder = instance.folder("one")
    load = {"model_name": "m 1/é", "url": folder}
    assert 200 == (await instance.ask("GET", "/ping")).status
    assert 404 == (await instance.ask("POST", "/models/m%201%2F%C3%A9/invoke", b"1")).status
    assert 200 == (await instance.ask("POST", "/models", load)).status
    assert 409 == (await instance.ask("POST", "/models", load)).status
    described = {"modelName": "m 1/é", "modelUrl": folder}
    assert {"models": [described]} == (await instance.ask("GET", "/models")).json
    assert described == (await instance.ask("GET", "/models/m%201%2F%C3%A9")).json
    said = await instance.ask("POST", "/models/m%201%2F%C3%A9/invoke", b"1,2", content_type="text/csv")
    assert (200, "one got 1,2") == (said.status, said.body)
    assert 200 == (await instance.ask("DELETE", "/models/m%201%2F%C3%A9")).status
    assert 404 == (await instance.ask("DELETE", "/models/m%201%2F%C3%A9")).status
    assert 404 == (await instance.ask("GET", "/models/m%201%2F%C3%A9")).status


@pytest.mark.parametrize("limits", [Limits(PLENTY, count_max=1)], indirect=True)
async def test_a_container_that_is_full_says_so_and_unloads_nothing(instance: Instance) -> None:
    for name in "ab":
        said = await instance.ask("POST", "/models", {"model_name": name, "url": instance.folder(name)})
    assert 507 == said.status
    assert ["a"] == [model["modelName"] for model in (await instance.ask("GET", "/models")).json["models"]]


async def test_a_long_list_of_models_comes_in_pages(instance: Instance) -> None:
    folder = instance.folder("one")
    for number in range(103):
        await instance.models.load(f"m{number:03}", Path(folder))
    first = (await instance.ask("GET", "/models")).json
    second = (await instance.ask("GET", f"/models?next_page_token={first['nextPageToken']}")).json
    names = [model["modelName"] for page in (first, second) for model in page["models"]]
    assert [f"m{number:03}" for number in range(103)] == names
    assert "nextPageToken" not in second


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"model_name": "a"}),
        (400, {"model_name": "", "url": "/"}),
        (400, {"model_name": "a", "url": "/nowhere"}),
        (400, b"{"),
    ],
)
async def test_a_load_that_makes_no_sense(instance: Instance, status: int, body: object) -> None:
    assert status == (await instance.ask("POST", "/models", body)).status


async def test_a_request_is_answered_when_its_model_has_been_brought(instance: Instance) -> None:
    asked = [asyncio.create_task(instance.invoke("a.tar.gz", b"%d" % number)) for number in range(10)]
    assert [("a.tar.gz", None, True)] == await instance.wanted(known=0)
    assert 200 == (await instance.supply("a.tar.gz", "1", instance.folder("first"))).status
    assert [f"first got {number}" for number in range(10)] == [(await each).body for each in asked]
    assert "first got 5" == (await instance.invoke("a.tar.gz", b"5")).body
    await instance.supply("a.tar.gz", "2", instance.folder("second"))
    assert "second got 5" == (await instance.invoke("a.tar.gz", b"5")).body
    report = (await instance.ask("GET", "/moorage/models")).json
    assert ["a.tar.gz"] == list(report["loaded"])
    statistics = report["statistics"]["summaries"]
    assert (12, 2) == (statistics["ModelCacheHit"]["count"], statistics["ModelCacheHit"]["total"])
    assert (2, 14) == (statistics["ModelDownloadingTime"]["count"], statistics["ModelDownloadingTime"]["total"])
    assert (10, 2) == (statistics["ModelLoadingWaitTime"]["count"], statistics["ModelLoadingTime"]["count"])
    assert {"a.tar.gz": 12} == report["statistics"]["invocations"]


async def test_what_was_measured_comes_in_pages_each_until_it_is_known(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.folder("m")})
    await instance.ask("POST", "/models/m/invoke", b"1")
    assert {"number": 0, "values": {}, "loaded": 1} == await instance.measured(-1)
    first = await instance.measured(0)
    assert (1, [[1, 1]]) == (first["number"], first["values"]["ModelCacheHit"])
    for _ in range(3):
        await instance.ask("POST", "/models/m/invoke", b"1")
    assert first == await instance.measured(0)
    second = await instance.measured(1)
    assert (2, {"ModelCacheHit": [[1, 3]]}) == (second["number"], second["values"])
    assert {"number": 3, "values": {}, "loaded": 1} == await instance.measured(2)


@pytest.mark.parametrize("limits", [Limits(PLENTY, wait_s=0.1)], indirect=True)
async def test_a_model_that_takes_long_to_load_is_told_from_one_that_fails(instance: Instance) -> None:
    slow = instance.folder("slow", script=GATED)
    asked = asyncio.create_task(instance.invoke("slow"))
    await instance.wanted(known=0)
    loading = asyncio.create_task(instance.supply("slow", "1", slow))
    said = await asked
    assert (429, b"ModelNotReadyException") == (said.status, said.fields[b"x-moorage-refusal"])
    Path(slow, "gate").touch()
    assert 200 == (await loading).status
    assert "slow got 1" == (await instance.invoke("slow")).body


async def test_what_cannot_be_had_and_what_cannot_be_loaded(instance: Instance) -> None:
    refusal = {"type": "refusal", "model": "none", "reason": "There is none.", "is_gone": True}
    asked = asyncio.create_task(instance.invoke("none"))
    await instance.wanted(known=0)
    await instance.ask("POST", "/moorage/models", refusal)
    said = await asked
    assert (400, "There is none.", b"ValidationError") == (said.status, said.body, said.fields[b"x-moorage-refusal"])
    broken = instance.folder("broken", script="import nothing_of_that_name\n")
    asked = asyncio.create_task(instance.invoke("broken"))
    await instance.wanted(known=1)
    await instance.supply("broken", "1", broken)
    said = await asked
    assert 500 == said.status
    assert "x-moorage-refusal" not in said.fields
    expected = "ModuleNotFoundError: No module named 'nothing_of_that_name' (in code/inference.py line 1)"
    assert f"The model cannot be loaded: {expected}" == said.json["error"]


async def test_what_a_model_asks_for_and_does_not_get_is_said(instance: Instance) -> None:
    folder = Path(instance.folder("m"))
    (folder / "code" / "requirements.txt").write_text("nothing-of-that-name\n")
    assert 200 == (await instance.ask("POST", "/models", {"model_name": "m", "url": str(folder)})).status
    assert ["m: code/requirements.txt is not installed for one model among many"] == instance.said
    (folder / "code" / "inference.py").write_text("import nothing_of_that_name\n")
    said = await instance.ask("POST", "/models", {"model_name": "n", "url": str(folder)})
    assert said.json["error"].endswith("; code/requirements.txt is not installed for one model among many")


async def test_a_stream_keeps_its_model_until_it_has_been_read(instance: Instance) -> None:
    script = "def model_fn(folder):\n    return 'a'\ndef transform_fn(model, data, content_type, accept):\n"
    script += "    return iter([model] * 3), 'text/plain'\n"
    folder = instance.folder("streaming", script=script)
    await instance.ask("POST", "/models", {"model_name": "s", "url": folder})
    slot = instance.models.shelf.find("s")
    assert slot is not None
    assert "aaa" == (await instance.ask("POST", "/models/s/invoke", b"1")).body
    async with asyncio.timeout(90):
        while slot.users:
            await asyncio.sleep(0.01)
    assert 1 == slot.uses


async def test_the_agent_waits_no_longer_than_it_likes(instance: Instance) -> None:
    assert {"number": 0, "wants": []} == (await instance.ask("GET", "/moorage/wants?known=0&wait=0")).json
    assert 400 == (await instance.ask("GET", "/moorage/wants?known=x&wait=0")).status


async def test_a_request_without_a_target_and_paths_that_are_none(instance: Instance) -> None:
    assert 400 == (await instance.ask("POST", "/invocations", b"1")).status
    assert 404 == (await instance.ask("GET", "/elsewhere")).status
    assert 404 == (await instance.ask("POST", "/models/a/b/invoke", b"1")).status


async def test_a_model_that_is_asked_for_often_moves_in_and_answers_the_same(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.forest("m")})
    body = json.dumps({"instances": IRIS_ROWS}).encode()
    first = await instance.ask("POST", "/models/m/invoke", body)
    slot = instance.models.shelf.find("m")
    assert slot is not None
    assert is_guest(slot)
    answers = {first.body}
    while is_guest(slot):
        answers.add((await instance.ask("POST", "/models/m/invoke", body)).body)
    assert slot.model.model.is_quick
    answers.add((await instance.ask("POST", "/models/m/invoke", body)).body)
    assert {first.body} == answers
    assert 1 == sum("compiled: 100 trees" in line for line in instance.said)


async def test_a_model_moves_in_with_requests_at_it_that_are_answered(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.folder("m", script=SLOW)})
    slot = instance.models.shelf.find("m")
    assert slot is not None
    guest = slot.model.model
    asked = [asyncio.create_task(instance.ask("POST", "/models/m/invoke", b"%d" % number)) for number in range(8)]
    while slot.model.model is guest:
        await asyncio.sleep(0.01)
    asked.append(asyncio.create_task(instance.ask("POST", "/models/m/invoke", b"8")))
    assert [f"m got {number}" for number in range(9)] == sorted([(await each).body for each in asked])


async def test_a_large_body_goes_to_the_annex_and_back(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.folder("m")})
    large = b"x" * 700_000
    assert f"m got {large.decode()}" == (await instance.ask("POST", "/models/m/invoke", large)).body


async def test_what_is_sent_with_a_request_is_what_the_model_sees_and_what_it_sets_comes_back(
    instance: Instance,
) -> None:
    folder = instance.folder("m", script=ATTRIBUTES)
    await instance.ask("POST", "/models", {"model_name": "m", "url": folder})
    said = await instance.ask(
        "POST", "/models/m/invoke", b"1", content_type="text/csv", x_amzn_sagemaker_custom_attributes="in"
    )
    assert ("in text/csv", b"text/plain") == (said.body, said.fields[b"content-type"])


async def test_whoever_leaves_takes_its_request_out_of_the_annex(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.folder("m", script=SLOW)})
    slot = instance.models.shelf.find("m")
    assert slot is not None
    asking = asyncio.create_task(instance.ask("POST", "/models/m/invoke", b"1"))
    while not slot.uses:
        await asyncio.sleep(0.01)
    asking.cancel()
    while slot.users:
        await asyncio.sleep(0.01)
    await asyncio.wait_for(slot.model.model.wait_idle(), 60.0)


async def test_the_end_of_the_annex_is_heard_and_fails_what_was_there(instance: Instance) -> None:
    await instance.ask("POST", "/models", {"model_name": "m", "url": instance.folder("m", script=SLOW)})
    instance.annex_life.cancel()
    await asyncio.wait_for(instance.annex.ended, 60.0)
    with pytest.raises(WireError):
        await instance.ask("POST", "/models/m/invoke", b"1")
    assert 500 == (await instance.ask("POST", "/models", {"model_name": "n", "url": instance.folder("n")})).status
