"""Kill -9 in the middle of commits: every acknowledged row is there afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from moorage.store.base import ListQuery
from moorage.store.sql import open_store

WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from moorage.store.sql import open_store
from moorage.testing.store_suite import make_document

async def main() -> None:
    store = open_store(Path(sys.argv[1]))

    async def write(lane: int) -> None:
        for number in itertools.count():
            name = f"{lane}-{number}"
            await store.run(lambda tx: tx.models.insert(make_document(name)))
            print(name, flush=True)

    await asyncio.gather(*(write(lane) for lane in range(8)))

asyncio.run(main())
"""


async def test_kill_9_loses_no_acknowledged_row(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(300)]
    writer.kill()
    acknowledged += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()

    store = open_store(path)
    page = await store.run(lambda tx: tx.models.list(ListQuery("us-east-1", 1_000_000)))
    await store.close()
    assert set(acknowledged) - {row.name for row in page.rows} == set()
