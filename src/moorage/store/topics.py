"""Topics in the store, as documents. All of it within the caller's transaction, which is the only one that writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from moorage.core.notifications.topic import NoSuchTopic, Topic, TopicKey
from moorage.store.base import Document, ListQuery, Transaction

_PAGE: Final = 200


def find_topic(tx: Transaction, key: TopicKey) -> Topic | None:
    """The topic of that name."""
    document = tx.topics.get(key.region, key.name)
    return None if document is None else msgspec.convert(document.body, Topic)


def load_topic(tx: Transaction, key: TopicKey) -> Topic:
    """The topic of that name. Raises NoSuchTopic."""
    topic = find_topic(tx, key)
    if topic is None:
        raise NoSuchTopic(key.name)
    return topic


def list_topics(tx: Transaction, region: str) -> Iterator[Topic]:
    """The topics of a region, by name."""
    query: ListQuery | None = ListQuery(region, _PAGE, sort_by="Name", ascending=True)
    while query is not None:
        page = tx.topics.list(query)
        yield from (msgspec.convert(document.body, Topic) for document in page.rows)
        query = page.next_after and replace(query, after=page.next_after)


def insert_topic(tx: Transaction, topic: Topic) -> None:
    """Raises AlreadyExists."""
    tx.topics.insert(_encode(topic))


def replace_topic(tx: Transaction, topic: Topic) -> None:
    """Raises KeyError if it is gone."""
    tx.topics.replace(_encode(topic))


def delete_topic(tx: Transaction, topic: Topic) -> None:
    """Remove the topic, its subscriptions and its tags."""
    tx.topics.delete(topic.key.region, topic.key.name)
    tx.tags.clear(topic.arn)


def _encode(topic: Topic) -> Document:
    return Document(
        topic.key.region, topic.key.name, topic.arn, topic.created_at, topic.created_at, msgspec.to_builtins(topic)
    )
