"""A real Prometheus scrapes Moorage; without one, its text format is held to prometheus_client's strict parser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from moorage.cli.main import main
from moorage.testing.deployment import Deployer
from moorage.testing.metrics_page import read_page, sum_of
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually

NAME = "scraped"
PATIENCE_S = 60.0
PROMETHEUS = os.environ.get("MOORAGE_PROMETHEUS") or shutil.which("prometheus")
CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: moorage
    authorization:
      credentials: {key}
    static_configs:
      - targets: ["{target}"]
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployer(moorage_server: RunningMoorage) -> Iterator[Deployer]:
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy(NAME, echo_archive("here"))
    yield deployer
    deployer.delete(NAME)


@pytest.fixture(scope="module")
def key(moorage_server: RunningMoorage) -> Iterator[str]:
    made = keys(moorage_server, "create", "--description", "the Prometheus of the shop")
    yield made.splitlines()[0]
    ((key_id, *_),) = (line.split() for line in keys(moorage_server, "list").splitlines() if "of the shop" in line)
    assert f"Revoked {key_id}." in keys(moorage_server, "revoke", key_id)
    assert key_id not in keys(moorage_server, "list")


def keys(server: RunningMoorage, *arguments: str) -> str:
    command = ["keys", *arguments, "--metrics", "--data-dir", str(server.data_dir)]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.stdout


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def test_the_page_is_openmetrics_and_counts_what_was_sent(
    moorage_server: RunningMoorage, deployer: Deployer, key: str
) -> None:
    def count() -> float:
        page = read_page(moorage_server.endpoint_url, key)
        return sum_of(page, "moorage_invocations_total", endpoint=NAME, variant="AllTraffic", outcome="success")

    before = count()
    for _ in range(5):
        deployer.invoke(NAME, b"{}")
    eventually(lambda: before + 5 == count(), timeout_s=PATIENCE_S)


@pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus on the PATH: only its parser reads the page")
def test_prometheus_scrapes_the_page(
    moorage_server: RunningMoorage, deployer: Deployer, key: str, tmp_path: Path
) -> None:
    target = urllib.parse.urlsplit(moorage_server.endpoint_url).netloc
    (tmp_path / "prometheus.yml").write_text(CONFIG.format(key=key, target=target))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(PROMETHEUS),
                f"--config.file={tmp_path}/prometheus.yml",
                f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        deployer.invoke(NAME, b"{}")

        def query(expression: str) -> list[dict[str, Any]]:
            try:
                text = get(f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
            except OSError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                return []
            found: list[dict[str, Any]] = json.loads(text)["data"]["result"]
            return found

        success = f'moorage_invocations_total{{endpoint="{NAME}", outcome="success"}}'
        eventually(lambda: query(f"{success} > 0"), timeout_s=PATIENCE_S)
        latency = f'moorage_model_latency_seconds_bucket{{endpoint="{NAME}"}}'
        eventually(lambda: query(f"histogram_quantile(0.99, {latency}) > 0"), timeout_s=PATIENCE_S)
        eventually(lambda: query(f'moorage_endpoint_status{{endpoint="{NAME}", status="InService"}} == 1'))
        assert [] != query('moorage_capacity_offered{resource="vcpus"} > 0')
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
