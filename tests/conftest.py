"""One real Moorage for every test that only wants to talk to one. Tests that kill or restart it start their own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from moorage.testing.server import RunningMoorage

# Otherwise pytest-asyncio has the main thread make a loop of its own, which nobody closes.
asyncio.set_event_loop(None)

# How long an example takes says how busy the machine is, and nothing that a test is about.
settings.register_profile("moorage", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("moorage")


def pytest_collection_finish() -> None:
    """What is imported by now stays: to search it for garbage again and again takes a twentieth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def moorage_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    """A Moorage on a free port with a data directory of its own; at the end, nothing of it may be left."""
    from moorage.testing.server import RunningMoorage  # the whole product: not for a run of unit tests alone

    data_dir = tmp_path_factory.mktemp("moorage") / "data"
    data_dir.mkdir(mode=0o700)
    (data_dir / "moorage.toml").write_text('notification_hosts = "127.0.0.1"\n')  # where tests receive notifications
    server = RunningMoorage(data_dir)
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()
    assert [] == [path for path in server.data_dir.rglob("*") if path.is_socket()]
