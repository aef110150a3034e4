"""Tables on standard output: fitted to the terminal, or one line a row where a program reads them."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

WIDTH_IN_A_PIPE = 400


def print_table(table: Table) -> None:
    """Print a table."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_A_PIPE)
    console.print(table)
