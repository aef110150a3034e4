"""How long a dead worker's place stays empty."""

from __future__ import annotations

from moorage.runtime.respawn import LONG_LIFE_S, Respawn


def test_short_lives_in_a_row_are_waited_for_longer_and_longer_until_it_gives_up() -> None:
    respawn = Respawn()
    assert [0.2, 0.4, 0.8, 1.6, None] == [respawn.delay_s(lived_s=1.0) for _ in range(5)]


def test_a_long_life_begins_the_count_anew() -> None:
    respawn = Respawn()
    for _ in range(4):
        respawn.delay_s(lived_s=0.0)
    assert [0.0, 0.2] == [respawn.delay_s(lived_s=LONG_LIFE_S), respawn.delay_s(lived_s=0.0)]
