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
from moorage.core.usage import SERVERLESS, Usage
from moorage.store.base import Transaction
from moorage.system.clock import SystemClock
from moorage.testing.account_world import AccountWorld
from moorage.testing.builders import make_endpoint
from moorage.testing.memory_store import MemoryStore

HOUR = timedelta(hours=1)


def usage(now: datetime, hours_ago: float, until_ago: float, **changes: str) -> Usage:
    whole = Usage("us-east-1", "iris", "AllTraffic", "ml.m5.large", "i-1", now - hours_ago * HOUR, now)
    ended = replace(whole, until=now - until_ago * HOUR, is_open=until_ago == 0)
    return replace(ended, **changes)


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    store, now = MemoryStore(), datetime.now(UTC)
    created = make_endpoint(now=now - 10 * HOUR)
    serving = replace(created, serving=created.target, target=None)

    def write(tx: Transaction) -> None:
        tx.endpoints.insert(serving)
        tx.usages.begin(
            [
                usage(now, 10, 8),
                usage(now, 4, 0, instance="i-2"),
                usage(now, 3, 1, endpoint="gone", instance="i-3", instance_type="ml.m5.24xlarge"),
                usage(now, 3, 1, endpoint="quiet", instance="i-4", instance_type=SERVERLESS),
                usage(now, 3, 1, region="eu-west-1", instance="i-5"),
            ]
        )

    asyncio.run(store.run(write))
    prices = Prices("EUR", {"ml.m5.large": 0.5})
    with AccountWorld(Costs(store, prices, clock=SystemClock()), store=store) as account:
        yield account


def test_hours_cost_and_what_sleeping_has_saved(account: AccountWorld) -> None:
    answer = account.client("moorage").list_costs()
    gone, iris, quiet = answer["Costs"]
    assert ["gone", "iris", "quiet"] == [row["EndpointName"] for row in answer["Costs"]]
    about = pytest.approx
    assert (about(6, abs=0.01), 0.5, about(3, abs=0.01)) == (iris["InstanceHours"], iris["PricePerHour"], iris["Cost"])
    assert (about(4, abs=0.01), about(2, abs=0.01)) == (iris["AsleepHours"], iris["SavedBySleeping"])
    assert {"EndpointName", "VariantName", "InstanceType", "InstanceHours"} == gone.keys() == quiet.keys()
    assert ("EUR", about(10, abs=0.01), about(3, abs=0.01)) == (
        answer["Currency"],
        answer["InstanceHours"],
        answer["Cost"],
    )


def test_of_one_endpoint_and_of_a_time(account: AccountWorld) -> None:
    now = datetime.now(UTC)
    (row,) = account.client("moorage").list_costs(
        EndpointName="IRIS", StartTime=now - 9 * HOUR, EndTime=now - 2 * HOUR
    )["Costs"]
    assert ("iris", pytest.approx(3, abs=0.01)) == (row["EndpointName"], row["InstanceHours"])


def test_a_time_that_ends_before_it_begins_is_refused(account: AccountWorld) -> None:
    with pytest.raises(ClientError, match="StartTime must be before EndTime"):
        account.client("moorage").list_costs(StartTime=datetime.now(UTC) + HOUR)


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
