import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from moorage.core.model import DataForm, ModelData
from moorage.runners.base import ModelFile, ModelFiles
from moorage.runners.process.multi_model.demands import Demands, Refused

A, B = ModelData("s3://m/a"), ModelData("s3://m/b")
FILES = ModelFiles(DataForm.ARCHIVE, "d1", (ModelFile("model.tar.gz", Path("/archive")),))


async def test_all_who_demand_the_same_get_the_same_answer() -> None:
    demands = Demands()
    asking = [asyncio.create_task(demands.fetch(A)) for _ in range(3)]
    async with aclosing(demands.watch()) as watch:
        await asyncio.sleep(0)
        assert A == await anext(watch)
        demands.supply(A, FILES)
        assert [FILES] * 3 == [await each for each in asking]
        again = asyncio.create_task(demands.fetch(A))
        assert A == await anext(watch)
        demands.supply(A, FILES)
        await again


async def test_whoever_watches_anew_is_told_all_that_is_open() -> None:
    demands = Demands()
    asking = [asyncio.create_task(demands.fetch(data)) for data in (A, B)]
    await asyncio.sleep(0)
    for _ in range(2):
        async with aclosing(demands.watch()) as watch:
            assert [A, B] == [await anext(watch), await anext(watch)]
    demands.supply(A, FILES)
    demands.refuse(B, Refused("there is none", is_gone=True))
    assert FILES == await asking[0]
    with pytest.raises(Refused, match="there is none"):
        await asking[1]


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    demands = Demands()
    asking = [asyncio.create_task(demands.fetch(A)) for _ in range(2)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.wait([asking[0]])
    demands.supply(A, FILES)
    assert FILES == await asking[1]


async def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    demands = Demands()
    demands.supply(A, FILES)
    demands.refuse(A, Refused("late", is_gone=False))
