"""The page that Prometheus scrapes, read by prometheus_client's own parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest
from botocore.exceptions import ClientError
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from moorage.api.bearer_keys import MetricsKeys
from moorage.api.prometheus import MetricsPage
from moorage.api.server import Api
from moorage.core.capacity import Resources
from moorage.core.figures import State
from moorage.core.latency import Histogram, bucket_of
from moorage.core.traffic import SeriesKey, Tally
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import InProcess, root_key_ring
from moorage.testing.builders import make_endpoint
from moorage.testing.memory_store import MemoryStore

LATENCIES_US = (100, 300, 5_000, 70_000, 200_000_000)
TALLY = Tally(
    outcomes=(4, 1, 0, 0, 0, 2, 0),
    model=Histogram({bucket_of(us): 1 for us in LATENCIES_US}, sum(LATENCIES_US)),
    overhead=Histogram({bucket_of(100): 5}, 500),
    bytes_in=70,
)
KEY = SeriesKey("us-east-1", 'ir"is', "config-1", "All\\Traffic", "i-1")
STATE = State(
    totals={KEY: TALLY},
    in_flight={KEY: Tally(in_flight=3)},
    endpoints=[make_endpoint()],
    offered=Resources(64, 256 << 30),
    route_table_version=7,
)
URL = "http://127.0.0.1:4566/metrics"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Labels = frozenset[tuple[str, str]]
Parse = Callable[[str], Iterable[Metric]]


@pytest.fixture
def moorage() -> Iterator[InProcess]:
    store, clock = MemoryStore(), SystemClock()

    async def gather() -> State:
        return STATE

    keys = MetricsKeys(store, clock=clock)
    with InProcess(Api([keys], root_key_ring, clock=clock, pages=[MetricsPage(store, gather)])) as moorage:
        yield moorage


def scrape(moorage: InProcess, key: str, *, url: str = URL, accept: str = "text/plain") -> tuple[int, str, str]:
    status, headers, body = moorage.request("GET", url, headers={"Authorization": f"Bearer {key}", "Accept": accept})
    return status, headers["content-type"], body.decode()


def values(families: Iterable[Metric], name: str) -> dict[Labels, float]:
    samples = (sample for family in families for sample in family.samples if sample.name == name)
    return {frozenset(sample.labels.items()): sample.value for sample in samples}


def of_variant(**more: str) -> Labels:
    labels = {"region": "us-east-1", "endpoint": 'ir"is', "config": "config-1", "variant": "All\\Traffic", **more}
    return frozenset(labels.items())


@pytest.mark.parametrize(("accept", "parse"), [("text/plain", parse_text), (OPENMETRICS, parse_openmetrics)])
def test_a_scrape_is_what_the_parsers_read(moorage: InProcess, accept: str, parse: Parse) -> None:
    key = moorage.client("moorage").create_metrics_key()["Key"]
    status, content_type, body = scrape(moorage, key, accept=accept)
    assert (200, accept.split(";")[0]) == (status, content_type.split(";")[0])
    families = list(parse(body))
    counts = {"success": 4, "client_error": 1, "refused": 2}
    assert {of_variant(outcome=outcome): count for outcome, count in counts.items()} == values(
        families, "moorage_invocations_total"
    )
    assert {of_variant(): 3} == values(families, "moorage_requests_in_flight")
    assert {of_variant(): sum(LATENCIES_US) / 1e6} == values(families, "moorage_model_latency_seconds_sum")
    assert {of_variant(): 5} == values(families, "moorage_model_latency_seconds_count")
    assert {frozenset(): 7} == values(families, "moorage_route_table_version")
    buckets = values(families, "moorage_model_latency_seconds_bucket")
    below = {dict(labels)["le"]: count for labels, count in buckets.items()}
    assert {"0.000256": 1, "0.000512": 2, "0.008192": 3, "0.131072": 4, "+Inf": 5}.items() <= below.items()
    assert sorted(below.values()) == list(below.values())


def test_instances_are_told_apart_on_demand(moorage: InProcess) -> None:
    key = moorage.client("moorage").create_metrics_key()["Key"]
    _, _, body = scrape(moorage, key, url=f"{URL}?by=instance")
    found = values(parse_text(body), "moorage_invocations_total")
    assert {"i-1"} == {dict(labels)["instance"] for labels in found}


def test_who_has_no_key_in_force_is_refused(moorage: InProcess) -> None:
    client = moorage.client("moorage")
    assert 401 == scrape(moorage, "moorage-guessed")[0]
    made = client.create_metrics_key(Description="the Prometheus of the shop")
    assert 200 == scrape(moorage, made["Key"])[0]
    (listed,) = client.list_metrics_keys()["BearerKeys"]
    assert (made["KeyId"], "the Prometheus of the shop") == (listed["KeyId"], listed["Description"])
    client.delete_metrics_key(KeyId=made["KeyId"])
    assert 401 == scrape(moorage, made["Key"])[0]
    with pytest.raises(ClientError, match="The metrics page has no bearer key"):
        client.delete_metrics_key(KeyId=made["KeyId"])


def test_without_a_bearer_key_the_path_is_a_buckets(moorage: InProcess) -> None:
    status, _, body = moorage.request("GET", URL)
    assert 403 == status
    assert b"<Code>AccessDenied</Code>" in body


def test_a_store_that_is_away_is_said_to_be() -> None:
    store = MemoryStore()
    store.unavailable = True

    async def gather() -> State:
        return STATE

    with InProcess(Api([], root_key_ring, clock=SystemClock(), pages=[MetricsPage(store, gather)])) as moorage:
        assert 503 == scrape(moorage, "moorage-any")[0]
