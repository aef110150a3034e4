"""Steps on the terminal: a spinner while one runs, then one line with how long it took; plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Step:
    """A step under way; it may change its line as it goes."""

    def __init__(self, text: str, spinner: Status) -> None:
        self.text = text
        self._spinner = spinner
        self._started = time.monotonic()

    @property
    def elapsed(self) -> str:
        """Time since the step began, for people."""
        return f"{time.monotonic() - self._started:.2f} s"

    def say(self, text: str) -> None:
        """Replace the step's line."""
        self.text = text
        self._spinner.update(f"{escape(text)}  [dim]{self.elapsed}[/dim]")


class Steps:
    """Prints the steps of one command, in order, to standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """One step: marked done when the block ends, failed when it raises."""
        with self._console.status(escape(text)) as spinner:
            step = Step(text, spinner)
            try:
                yield step
            except BaseException:
                self._console.print(f"[red]✗[/red] {escape(step.text)}  [dim]{step.elapsed}[/dim]")
                raise
        self._console.print(f"[green]✓[/green] {escape(step.text)}  [dim]{step.elapsed}[/dim]")
