"""Traces and metrics of a whole Moorage, as a collector that speaks OpenTelemetry's own messages gets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra moorage[otel] is not installed")

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.otlp_receiver import OtlpReceiver, attributes_of
from moorage.testing.server import RunningMoorage, eventually

NAME = "traced"
TRACE_ID, CALLER_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PATIENCE_S = 60.0
SCRIPT = """
def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept, context):
    return context.get_request_header(0, "traceparent") or "none", "text/plain"
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(collector: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    data_dir: Path = tmp_path_factory.mktemp("otlp") / "data"
    data_dir.mkdir()
    (data_dir / "moorage.toml").write_text(
        f'otlp_endpoint = "{collector.url}"\notlp_metrics_every_s = 1\ntraces_per_s = 0\n'
    )
    server = RunningMoorage(data_dir, gateway_workers=1)
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture(scope="module")
def deployer(server: RunningMoorage) -> Deployer:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy(NAME, script_archive(SCRIPT))
    return deployer


def test_one_request_is_a_trace_from_its_caller_to_the_container(deployer: Deployer, collector: OtlpReceiver) -> None:
    deployer.runtime.meta.events.register(
        "before-sign.sagemaker-runtime.InvokeEndpoint",
        lambda request, **_: request.headers.add_header("traceparent", f"00-{TRACE_ID}-{CALLER_ID}-01"),
    )
    seen = deployer.invoke(NAME, b"{}").decode()
    eventually(lambda: 3 <= len(collector.spans), timeout_s=PATIENCE_S)
    spans = {span.name: span for span in collector.spans}
    assert {"InvokeEndpoint", "wait for instance", "ask instance"} == spans.keys()
    assert {TRACE_ID} == {span.trace_id.hex() for span in spans.values()}
    whole, asking = spans["InvokeEndpoint"], spans["ask instance"]
    assert (CALLER_ID, whole.span_id) == (whole.parent_span_id.hex(), asking.parent_span_id)
    assert f"00-{TRACE_ID}-{asking.span_id.hex()}-01" == seen
    assert NAME == attributes_of(whole)["aws.sagemaker.endpoint.name"]
    assert whole.start_time_unix_nano < whole.end_time_unix_nano


def test_metrics_come_by_themselves(server: RunningMoorage, deployer: Deployer, collector: OtlpReceiver) -> None:
    for _ in range(3):
        deployer.invoke(NAME, b"{}")

    def counted() -> int:
        return sum(row["Total"]["Invocations"] for row in server.client("moorage").list_traffic()["Traffic"])

    eventually(lambda: 3 <= counted() == _invocations(collector), timeout_s=PATIENCE_S)
    eventually(lambda: "moorage.capacity_offered" in collector.metrics, timeout_s=PATIENCE_S)


def _invocations(collector: OtlpReceiver) -> float:
    metric = collector.metrics.get("moorage.invocations")
    return sum(point.as_int or point.as_double for point in metric.sum.data_points) if metric is not None else 0.0
