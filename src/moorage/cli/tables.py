"""Tables on standard output: as wide as the terminal if that can be, and never with a name or a figure cut short.

Where a program reads them, or what must stay in one piece is wider than the terminal, a row is one line.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Final

import click
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDTH_IN_A_PIPE: Final = 10_000
"""More than any row takes: columns are as wide as what is in them."""


def print_table(table: Table, *, prose: Collection[str] = ()) -> None:
    """Print a table, its cells as they are. Columns named in `prose` may be broken into several lines."""
    console = Console(highlight=False, markup=False, emoji=False)
    for column in table.columns:
        if column.header not in prose:
            column.min_width = max(cell_len(str(text)) for text in (column.header, *column.cells))
    console.width = max(console.width, _least_width(console, table)) if sys.stdout.isatty() else _WIDTH_IN_A_PIPE
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        click.echo(line.rstrip())


def _least_width(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=_WIDTH_IN_A_PIPE), table).minimum
