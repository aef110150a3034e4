"""Tables: in a pipe a line a row, however long; on a terminal nothing is cut short; and what cells say is no markup."""

import sys

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


def test_a_narrow_terminal_breaks_prose_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("Instance", "Model p50", "Overhead p99", "Cause", box=None, pad_edge=False)
    table.add_row("i-0123456789abcdef0", "1234.56 ms", "99.99 ms", "three words more")

    print_table(table, prose=("Cause",))

    lines = capsys.readouterr().out.splitlines()
    assert 1 == sum("Overhead p99" in line for line in lines)
    assert 1 == sum("i-0123456789abcdef0  1234.56 ms" in line for line in lines)
    assert 1 < len([line for line in lines if "three" in line or "more" in line])


def test_a_cell_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("Description", box=None)
    table.add_row("[bold] :warning: [/]")

    print_table(table)

    assert "[bold] :warning: [/]" in capsys.readouterr().out
