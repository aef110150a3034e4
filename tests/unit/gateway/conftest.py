"""What the gateway's parts need that is no part of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(LedgerFile(tmp_path, "test"))
    yield ledger
    ledger.close()
