"""Bringing notifications, in virtual time: retries, crashes, and subscribers that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from moorage.control.notifications.deliveries import (
    JOURNAL_KIND,
    ON_THEIR_WAY_MAX,
    RETRIES_AFTER_S,
    Deliveries,
    Outcome,
)
from moorage.control.notifications.posting import NotPosted
from moorage.core.notifications.messages import Posting
from moorage.core.notifications.topic import ForbiddenAddress, TooManyNotifications, Topic, TopicKey
from moorage.store.topics import insert_topic
from moorage.testing.builders import T0
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

KEY = TopicKey("us-east-1", "calls")
ARN = "arn:aws:sns:us-east-1:123456789012:calls"


class FakePoster:
    """Answers each URL with what is listed for it, one after another, the last for ever. Errors are raised."""

    def __init__(self, answers: Mapping[str, Sequence[int | Exception]], *, takes_s: float = 0.0) -> None:
        self._answers = {url: list(listed) for url, listed in answers.items()}
        self._takes_s = takes_s
        self.posted: list[tuple[float, str]] = []

    async def post(self, posting: Posting) -> int:
        self.posted.append((round(asyncio.get_running_loop().time()), posting.url))
        await asyncio.sleep(self._takes_s)
        listed = self._answers[posting.url]
        answer = listed.pop(0) if len(listed) > 1 else listed[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def deliver(store: MemoryStore, poster: FakePoster, *urls: str) -> Deliveries:
    """Deliveries that have begun to bring one notification to each of the URLs."""
    await store.run(lambda tx: insert_topic(tx, Topic(KEY, ARN, T0)))
    deliveries = Deliveries(store, poster, LoopClock())
    postings = {f"{ARN}:{number}": Posting(url, {}, "") for number, url in enumerate(urls)}
    now = LoopClock().now()
    deliveries.begin(await store.run(lambda tx: deliveries.save(tx, KEY.region, postings, now=now)))
    return deliveries


async def outcomes(store: MemoryStore) -> list[tuple[str, int]]:
    entries = await store.run(lambda tx: tx.journal.list(JOURNAL_KIND, KEY.region, limit=9999, newest_first=False))
    return [(entry.body["outcome"], entry.body["attempts"]) for entry in entries]


async def test_what_arrives_is_sent_once() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [200]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.join()
    assert [(0, "a")] == poster.posted
    assert [(Outcome.DELIVERED, 1)] == await outcomes(store)
    await deliveries.close()


async def test_what_fails_is_tried_again_ever_later() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [NotPosted("refused"), 500, 429, 204]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.join()
    assert [0, 1, 6, 26] == [at for at, _ in poster.posted]
    assert [(Outcome.DELIVERED, 4)] == await outcomes(store)
    await deliveries.close()


async def test_what_never_arrives_is_given_up() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [503]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.join()
    attempts = len(RETRIES_AFTER_S) + 1
    assert sum(RETRIES_AFTER_S) == poster.posted[-1][0]
    assert [(Outcome.FAILED, attempts)] == await outcomes(store)
    await deliveries.close()


@pytest.mark.parametrize("answer", [301, 400, 404, ForbiddenAddress("private")])
async def test_what_is_refused_is_not_tried_again(answer: int | Exception) -> None:
    store, poster = MemoryStore(), FakePoster({"a": [answer]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.join()
    assert [(Outcome.FAILED, 1)] == await outcomes(store)
    await deliveries.close()


async def test_subscribers_that_hang_hold_up_nobody_else() -> None:
    store, poster = MemoryStore(), FakePoster({"slow": [200], "quick": [200]}, takes_s=10)
    await store.run(lambda tx: insert_topic(tx, Topic(KEY, ARN, T0)))
    deliveries = Deliveries(store, poster, LoopClock())
    now = LoopClock().now()
    slow, quick = ({f"{ARN}:{url}": Posting(url, {}, "")} for url in ("slow", "quick"))
    for _ in range(50):
        deliveries.begin(await store.run(lambda tx: deliveries.save(tx, KEY.region, slow, now=now)))
    deliveries.begin(await store.run(lambda tx: deliveries.save(tx, KEY.region, quick, now=now)))
    await asyncio.sleep(1)
    assert (0, "quick") in poster.posted
    await deliveries.join()
    assert 51 == len(poster.posted)
    await deliveries.close()


async def test_the_next_process_goes_on_with_what_this_one_has_not_brought() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [500], "b": [200]})
    deliveries = await deliver(store, poster, "a", "b")
    await asyncio.sleep(10)
    await deliveries.close()

    later = FakePoster({"a": [200]})
    deliveries = Deliveries(store, later, LoopClock())
    await deliveries.start()
    await deliveries.join()

    assert ["a"] == [url for _, url in later.posted]
    assert {Outcome.DELIVERED} == {outcome for outcome, _ in await outcomes(store)}
    await deliveries.close()


async def test_no_more_is_taken_than_can_be_held() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [200]}, takes_s=1000)
    deliveries = await deliver(store, poster, "a")
    deliveries.check_room()
    now = LoopClock().now()
    many = {f"{ARN}:{number}": Posting("a", {}, "") for number in range(ON_THEIR_WAY_MAX)}
    deliveries.begin(await store.run(lambda tx: deliveries.save(tx, KEY.region, many, now=now)))
    with pytest.raises(TooManyNotifications):
        deliveries.check_room()
    await deliveries.close()


async def test_what_was_brought_is_forgotten_after_a_day() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [200]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.start()
    await deliveries.join()
    await asyncio.sleep(90_000)
    assert [] == await outcomes(store)
    await deliveries.close()


async def test_what_was_brought_while_the_store_took_nothing_is_not_sent_again() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [200]}, takes_s=1)
    deliveries = await deliver(store, poster, "a")
    store.unavailable = True
    await asyncio.sleep(60)
    store.unavailable = False
    await deliveries.join()
    await deliveries.close()

    assert [(Outcome.DELIVERED, 1)] == await outcomes(store)
    later = Deliveries(store, poster, LoopClock())
    await later.start()
    await later.join()
    await later.close()
    assert [(0, "a")] == poster.posted


async def test_a_store_that_took_nothing_once_forgets_later() -> None:
    store, poster = MemoryStore(), FakePoster({"a": [200]})
    deliveries = await deliver(store, poster, "a")
    await deliveries.start()
    await deliveries.join()
    store.unavailable = True
    await asyncio.sleep(10_000)
    store.unavailable = False
    await asyncio.sleep(90_000)
    assert [] == await outcomes(store)
    await deliveries.close()
