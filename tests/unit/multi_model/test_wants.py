import asyncio

from moorage.runtime.multi_model.wants import Want, Wants


async def test_all_that_is_outstanding_is_told_to_whoever_asks_anew() -> None:
    wants = Wants()
    wants.add("a", hurry=True)
    wants.add("b", "1", hurry=False)
    expected = [Want("a", None, True, 1), Want("b", "1", False, 2)]
    assert (2, expected) == await wants.news(-1, wait_s=0)
    assert (2, expected) == await wants.news(-1, wait_s=0)
    wants.remove("a")
    assert (2, expected[1:]) == await wants.news(1, wait_s=0)


async def test_who_knows_all_waits_for_news() -> None:
    wants = Wants()
    asking = asyncio.create_task(wants.news(0, wait_s=60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not asking.done()
    wants.add("a", hurry=True)
    assert (1, [Want("a", None, True, 1)]) == await asking


async def test_somebody_who_waits_makes_a_want_another_one() -> None:
    wants = Wants()
    wants.add("a", "1", hurry=False)
    wants.add("a", hurry=True)
    wants.add("a", "1", hurry=False)
    wants.add("a", hurry=True)
    assert (2, [Want("a", None, True, 2)]) == await wants.news(-1, wait_s=0)
    assert "a" in wants
