"""ListTraffic, by the AWS client that has the model of Moorage's own operations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from moorage.api.traffic import Traffic
from moorage.core.latency import Histogram, bucket_of
from moorage.core.traffic import SHARE, SeriesKey, Tally
from moorage.store.base import TrafficProgress, Transaction
from moorage.system.clock import SystemClock
from moorage.testing.account_world import AccountWorld
from moorage.testing.builders import make_endpoint
from moorage.testing.memory_store import MemoryStore

NOW = datetime(2026, 11, 21, 3, 30, 17, tzinfo=UTC)
IRIS = SeriesKey("us-east-1", "iris", "config", "AllTraffic", "i-1")
OTHER = IRIS._replace(instance="i-2")
REFUSED = IRIS._replace(variant="", instance="")
TALLY = Tally(
    outcomes=(10, 4, 3, 2, 1, 0, 5),
    per_instance_shares=SHARE * 25 // 2,
    model=Histogram({bucket_of(us): 1 for us in range(1000, 101_000, 4000)}, 25 * 51_000),
    overhead=Histogram({200: 25}, 5000),
    bytes_in=100,
    bytes_out=200,
    in_flight=3,
)


class StoppedClock(SystemClock):
    """Time stands still at `NOW`."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    store = MemoryStore()
    now_s = int(NOW.timestamp())
    minute_s = now_s - now_s % 60

    def write(tx: Transaction) -> None:
        tx.endpoints.insert(make_endpoint())
        tx.traffic.add_minute(minute_s - 600, {IRIS: TALLY, IRIS._replace(endpoint="Gone"): TALLY})
        tx.traffic.add_second(now_s - 600, {IRIS: TALLY})
        tx.traffic.add_second(now_s - 1, {IRIS: TALLY, OTHER: replace(TALLY, in_flight=4)})
        tx.traffic.add_second(now_s - 1, {REFUSED: Tally(outcomes=(0, 0, 0, 0, 0, 9, 0))})
        tx.traffic.add_second(now_s - 1, {IRIS._replace(region="eu-west-1"): TALLY})
        tx.traffic.swap(TrafficProgress(0, minutes_until_s=now_s - 60))

    asyncio.run(store.run(write))
    with AccountWorld(Traffic(store, clock=StoppedClock()), store=store) as account:
        yield account


def test_all_endpoints_of_the_region_are_summed_up(account: AccountWorld) -> None:
    traffic = account.client("moorage").list_traffic()["Traffic"]
    assert [("Gone", 0, 25), ("iris", 59, 84)] == [
        (row["EndpointName"], row["Recent"]["Invocations"], row["Total"]["Invocations"]) for row in traffic
    ]
    iris = traffic[1]
    assert {"EndpointName", "InFlight", "Recent", "Total"} == iris.keys()
    assert 7 == iris["InFlight"]
    latencies = iris["Recent"].pop("ModelLatency"), iris["Recent"].pop("OverheadLatency")
    assert {
        "Invocations": 59,
        "InvocationsPerInstance": 25.0,
        "Invocation4XXErrors": 8,
        "Invocation5XXErrors": 6,
        "InvocationModelErrors": 20,
        "Refused": 9,
        "BytesIn": 200,
        "BytesOut": 400,
    } == iris["Recent"]
    model, overhead = latencies
    assert (50, 2 * 25 * 51_000, 51_000) == (model["SampleCount"], model["Sum"], model["Average"])
    assert [1000, 49_000, 89_000, 97_000, 97_000] == [
        pytest.approx(model[name], rel=0.01) for name in ("Minimum", "p50", "p90", "p99", "Maximum")
    ]
    assert 50 == overhead["SampleCount"]


def test_one_endpoint_is_told_by_variant_and_instance_in_any_case_of_its_name(account: AccountWorld) -> None:
    traffic = account.client("moorage").list_traffic(EndpointName="IRIS", PeriodSeconds=5)["Traffic"]
    assert [(None, None, 9), ("AllTraffic", "i-1", 25), ("AllTraffic", "i-2", 25)] == [
        (row.get("VariantName"), row.get("InstanceId"), row["Recent"]["Invocations"]) for row in traffic
    ]
    assert ["config"] * 3 == [row["EndpointConfigName"] for row in traffic]
    assert [0, 3, 4] == [row["InFlight"] for row in traffic]
    assert "ModelLatency" not in traffic[0]["Recent"]


def test_a_deleted_endpoints_traffic_is_still_told_and_an_unheard_of_ones_not(account: AccountWorld) -> None:
    client = account.client("moorage")
    assert 25 == client.list_traffic(EndpointName="Gone")["Traffic"][0]["Total"]["Invocations"]
    with pytest.raises(ClientError) as caught:
        client.list_traffic(EndpointName="never")
    assert "ResourceNotFound" == caught.value.response["Error"]["Code"]


def test_a_policy_for_one_endpoint_does_not_show_another(account: AccountWorld) -> None:
    resource = "arn:aws:sagemaker:*:*:endpoint/iris"
    key = account.add_user("ann", {"Effect": "Allow", "Action": "moorage:ListTraffic", "Resource": resource})
    client = account.client("moorage", key)
    assert 3 == len(client.list_traffic(EndpointName="iris")["Traffic"])
    for which in ({}, {"EndpointName": "gone"}):
        with pytest.raises(ClientError) as caught:
            client.list_traffic(**which)
        assert "AccessDeniedException" == caught.value.response["Error"]["Code"]
