"""Numbers as people read them."""

import pytest

from moorage.core.words import counted, sized


@pytest.mark.parametrize(("number", "said"), [(0, "0 models"), (1, "1 model"), (2, "2 models")])
def test_one_is_no_plural(number: int, said: str) -> None:
    assert said == counted(number, "model")


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (34_204, "33.4 KiB"),
        ((1 << 20) - 1, "1,024.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (3 << 29, "1.5 GiB"),
        (5 << 42, "20,480.0 GiB"),
    ],
)
def test_a_size_has_a_unit_that_fits(size_bytes: int, said: str) -> None:
    assert said == sized(size_bytes)
