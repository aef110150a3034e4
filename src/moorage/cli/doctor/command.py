"""`moorage doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from moorage.app.settings import Settings
from moorage.cli.doctor import frameworks, isolation, machine, place, software
from moorage.cli.doctor.finding import Finding, Level
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage

_STYLES: Final = {Level.GOOD: "green", Level.NOTE: "yellow", Level.BAD: "bold red"}


@click.command("doctor")
@on_moorage
def command(settings: Settings) -> None:
    """Check what this machine can run.

    The exit code is 1 when something has to be mended before Moorage can start.
    """
    findings = list(_examine(settings))
    table = Table("level", "subject", "text", box=None, show_header=False, pad_edge=False)
    for finding in findings:
        style = _STYLES[finding.level]
        table.add_row(Text(finding.level.value, style), finding.subject, finding.text)
        if finding.advice:
            table.add_row("", "", Text(finding.advice, "dim"))
    print_table(table, prose=("text",))
    if any(finding.level is Level.BAD for finding in findings):
        raise SystemExit(1)


def _examine(settings: Settings) -> Iterator[Finding]:
    yield from software.check_python()
    yield from frameworks.check_frameworks(settings)
    yield from software.check_sqlite()
    yield from software.check_docker()
    yield from machine.check_kernel()
    yield from machine.check_cpus()
    yield from machine.check_memory()
    yield from machine.check_capacity(settings)
    yield from machine.check_cgroup()
    yield from machine.check_open_files()
    yield from isolation.check_isolation(settings)
    yield from place.check_data_dir(settings)
    yield from place.check_port(settings)
