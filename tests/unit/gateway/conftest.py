"""What the gateway's parts need that is no part of a test."""

from pathlib import Path

import pytest

from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(LedgerFile(tmp_path, "test"))
