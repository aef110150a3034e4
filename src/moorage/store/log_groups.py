"""The documents of log groups, all of a region, or of all regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moorage.store.base import Document, ListQuery, Transaction

_ROWS_AT_ONCE: Final = 1000


def groups_of(tx: Transaction, region: str) -> Iterator[Document]:
    """By name."""
    after: tuple[str, str] | None = None
    while True:
        page = tx.log_groups.list(ListQuery(region, _ROWS_AT_ONCE, sort_by="Name", ascending=True, after=after))
        yield from page.rows
        if page.next_after is None:
            return
        after = page.next_after


def all_groups(tx: Transaction) -> Iterator[Document]:
    """By region and name."""
    for region in tx.log_groups.regions():
        yield from groups_of(tx, region)
