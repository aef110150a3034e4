"""Tables in a pipe: a line a row, however long, and nothing after its last word."""

import pytest
from rich.table import Table

from moorage.cli.tables import print_table


def test_a_row_is_a_line_that_ends_with_its_last_word(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("Name", "Cause", box=None, pad_edge=False)
    table.add_row("short", "x")
    table.add_row("long", "word " * 200 + "end")

    print_table(table)

    title, first, second = capsys.readouterr().out.splitlines()
    assert "Name   Cause" == title
    assert "short  x" == first
    assert second.startswith("long   word word")
    assert second.endswith(" word end")
