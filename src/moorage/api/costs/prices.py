"""The price file: what an hour of an instance type costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec

_EXAMPLES: Final = Path(__file__).parent / "prices.toml"


class PricesUnreadable(Exception):
    """A price file that cannot be used, with the reason."""


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By instance type. A type that is not there has no known price."""

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    per_hour: dict[str, Annotated[float, msgspec.Meta(ge=0)]]


def read_prices(path: str) -> Prices:
    """The prices in a file, or the examples that come with Moorage if none is named. Raises PricesUnreadable."""
    try:
        return msgspec.toml.decode(Path(path or _EXAMPLES).expanduser().read_bytes(), type=Prices)
    except OSError as error:
        raise PricesUnreadable(f"prices_file {path} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise PricesUnreadable(f"prices_file {path} cannot be used: {error}") from None
