"""What the gateway's parts need that is no part of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile
from moorage.gateway.turnstile import Turnstile


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(LedgerFile(tmp_path, "test"))
    yield ledger
    ledger.close()


@pytest.fixture
def turnstile(tmp_path: Path) -> Iterator[Turnstile]:
    turnstile = Turnstile(tmp_path / "turnstile")
    yield turnstile
    turnstile.close()
