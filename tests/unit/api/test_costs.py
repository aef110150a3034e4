"""ListCosts, by the AWS client that has the model of Moorage's own operations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from moorage.api.costs.prices import Prices, PricesUnreadable, read_prices
from moorage.api.costs.service import Costs
from moorage.core.model import EndpointKey
from moorage.core.usage import SERVERLESS, Usage
from moorage.store.base import Transaction
from moorage.system.clock import SystemClock
from moorage.testing.account_world import AccountWorld
from moorage.testing.builders import make_endpoint
from moorage.testing.memory_store import MemoryStore

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


class StoppedClock(SystemClock):
    """Time stands still at `NOW`."""

    def now(self) -> datetime:
        return NOW


def usage(now: datetime, hours_ago: float, until_ago: float, **changes: str) -> Usage:
    whole = Usage("us-east-1", "iris", "AllTraffic", "ml.m5.large", "i-1", now - hours_ago * HOUR, now)
    ended = replace(whole, until=now - until_ago * HOUR, is_open=until_ago == 0)
    return replace(ended, **changes)


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    store, now = MemoryStore(), NOW
    created = make_endpoint(now=now - 10 * HOUR)
    serving = replace(created, serving=created.target, target=None)
    asleep = make_endpoint(key=EndpointKey("us-east-1", "sleeper"), uid="u2", now=now - 100 * HOUR)

    def write(tx: Transaction) -> None:
        tx.endpoints.insert(serving)
        tx.endpoints.insert(replace(asleep, serving=asleep.target, target=None))
        tx.usages.begin(
            [
                usage(now, 10, 8),
                usage(now, 4, 0, instance="i-2"),
                usage(now, 7.5, 7, instance="i-6", instance_type="ml.c5.xlarge"),
                usage(now, 100, 50, endpoint="sleeper", instance="i-7"),
                usage(now, 3, 1, endpoint="gone", instance="i-3", instance_type="ml.m5.24xlarge"),
                usage(now, 3, 1, endpoint="quiet", instance="i-4", instance_type=SERVERLESS),
                usage(now, 3, 1, region="eu-west-1", instance="i-5"),
            ]
        )

    asyncio.run(store.run(write))
    prices = Prices("EUR", {"ml.m5.large": 0.5})
    with AccountWorld(Costs(store, prices, clock=StoppedClock()), store=store) as account:
        yield account


def test_hours_cost_and_what_sleeping_has_saved(account: AccountWorld) -> None:
    answer = account.client("moorage").list_costs(StartTime=NOW - 40 * HOUR)
    gone, before, iris, quiet, sleeper = answer["Costs"]
    assert ["gone", "iris", "iris", "quiet", "sleeper"] == [row["EndpointName"] for row in answer["Costs"]]
    about = pytest.approx
    assert (about(6, abs=0.01), 0.5, about(3, abs=0.01)) == (iris["InstanceHours"], iris["PricePerHour"], iris["Cost"])
    assert (about(3.5, abs=0.01), about(1.75, abs=0.01)) == (iris["AsleepHours"], iris["SavedBySleeping"])
    no_price = {"EndpointName", "VariantName", "InstanceType", "InstanceHours"}
    assert no_price == gone.keys() == quiet.keys()
    assert no_price == before.keys(), "a variant sleeps once, as what it is now"
    assert (0, about(40, abs=0.01)) == (sleeper["InstanceHours"], sleeper["AsleepHours"])
    assert ("EUR", about(10.5, abs=0.01), about(3, abs=0.01)) == (
        answer["Currency"],
        answer["InstanceHours"],
        answer["Cost"],
    )


def test_of_one_endpoint_and_of_a_time(account: AccountWorld) -> None:
    before, row = account.client("moorage").list_costs(
        EndpointName="IRIS", StartTime=NOW - 9 * HOUR, EndTime=NOW - 2 * HOUR
    )["Costs"]
    assert ("iris", "iris") == (before["EndpointName"], row["EndpointName"])
    assert (0.5, 3) == (pytest.approx(before["InstanceHours"], abs=0.01), pytest.approx(row["InstanceHours"], abs=0.01))


def test_a_time_that_ends_before_it_begins_is_refused(account: AccountWorld) -> None:
    with pytest.raises(ClientError, match="StartTime must be before EndTime"):
        account.client("moorage").list_costs(StartTime=NOW + HOUR)


def test_the_examples_that_come_along_can_be_read() -> None:
    prices = read_prices("")
    assert ("USD", 0.115) == (prices.currency, prices.per_hour["ml.m5.large"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("currency = ", "prices.toml"),
        ('currency = "dollars"\n[per_hour]\n', "currency"),
        ('currency = "USD"\n[per_hour]\n"ml.m5.large" = -1\n', "per_hour"),
        ('currency = "USD"\n[per_hours]\n', "per_hour"),
    ],
)
def test_a_price_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(PricesUnreadable, match=reason):
        read_prices(str(path))
