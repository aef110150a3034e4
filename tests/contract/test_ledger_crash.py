"""A worker killed in the middle of counting: the ledger says what it had counted, and that it is finished."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moorage.core.traffic import Outcome, SeriesKey
from moorage.telemetry.ledger_images import advance, key_of
from moorage.telemetry.ledger_reader import LedgerReader

# Says before each invocation which it is, so that at most the last one it spoke of is not recorded.
COUNTER = """
import os, sys
from pathlib import Path
from moorage.core.traffic import Outcome, SeriesKey
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile

ledger = Ledger(LedgerFile(Path(sys.argv[1]), "one"))
keys = [SeriesKey("us-east-1", "shop", "config", "AllTraffic", f"i-{n}") for n in range(3)]
series = [ledger.series(key, instances=3) for key in keys]
written = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
number = 0
while True:
    os.pwrite(written, b"%12d" % number, 0)
    each = series[number % 3]
    each.begin()
    each.record(Outcome.SUCCESS, number % 100_000, number % 300, 10, 20)
    number += 1
"""


@pytest.fixture
def counting(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", COUNTER, str(tmp_path / "ledgers"), str(tmp_path / "number")])
    path = tmp_path / "ledgers" / "one.ledger"
    deadline = time.monotonic() + 60
    while not path.exists() or not (tmp_path / "number").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    reader = LedgerReader(path)
    yield process, reader
    reader.close()
    process.kill()
    process.wait()


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.2])
def test_every_count_but_the_one_in_hand_survives_a_kill(counting, tmp_path: Path, after_s: float) -> None:
    process, reader = counting
    time.sleep(after_s)
    assert not reader.is_finished()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert reader.is_finished()
    begun = int((tmp_path / "number").read_text() or 0) + 1
    tallies = {key_of(image): advance({}, image)[1] for image in reader.changes({}).values()}
    total = sum(tally.invocations for tally in tallies.values())
    assert begun - 1 <= total <= begun
    assert {SeriesKey("us-east-1", "shop", "config", "AllTraffic", f"i-{n}") for n in range(3)} == tallies.keys()
    assert [tally.invocations for tally in tallies.values()] == [len(range(n, total, 3)) for n in range(3)]
    assert 0 <= sum(tally.model.count for tally in tallies.values()) - total <= 1


def test_a_ledger_read_while_it_is_written_to_never_shows_more_than_was_counted(counting, tmp_path: Path) -> None:
    _, reader = counting
    seen = looks = 0
    deadline = time.monotonic() + 60
    while looks < 50 or (not seen and time.monotonic() < deadline):
        looks += 1
        tallies = [advance({}, image)[1] for image in reader.changes({}).values()]
        total = sum(tally.invocations for tally in tallies)
        begun = int((tmp_path / "number").read_text() or 0) + 1
        assert seen <= total <= begun
        assert all(tally.invocations <= tally.model.count for tally in tallies)
        assert all(tally.invocations == tally.outcomes[Outcome.SUCCESS] for tally in tallies)
        seen = total
    assert seen > 0
