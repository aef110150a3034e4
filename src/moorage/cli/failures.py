"""What goes wrong, said in one sentence with what to do next. Commands raise `Failure`; nobody prints a traceback."""

from __future__ import annotations

from typing import IO, Any

import click


class Failure(click.ClickException):
    """One sentence on what is wrong and, where something can be done about it, what."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        super().show(file)
        if self.hint:
            click.echo(self.hint, err=True)
