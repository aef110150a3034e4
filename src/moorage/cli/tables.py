"""Tables on standard output: fitted to the terminal, or one line a row where a program reads them."""

from __future__ import annotations

import sys
from typing import Final

import click
from rich.console import Console
from rich.table import Table

_WIDTH_IN_A_PIPE: Final = 10_000
"""More than any row takes: columns are as wide as what is in them."""


def print_table(table: Table) -> None:
    """Print a table, without the spaces that fill its last column."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_IN_A_PIPE)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        click.echo(line.rstrip())
