"""Where the `moorage` command begins. A subcommand's module is imported when it is called, not before.

`moorage --help` imports nothing but click: the summaries stand in the table below, and a test holds them equal to the
commands' own.
"""

from __future__ import annotations

import importlib
from typing import Final, NamedTuple

import click

import moorage


class Entry(NamedTuple):
    """Where a subcommand lives, and its line in the overview."""

    module: str
    summary: str


COMMANDS: Final[dict[str, Entry]] = {
    "up": Entry("moorage.cli.up", "Start Moorage."),
    "down": Entry("moorage.cli.down", "Stop Moorage and the instances it runs."),
    "restart": Entry(
        "moorage.cli.restart", "Restart Moorage's processes without a failed request, after an upgrade for example."
    ),
    "status": Entry("moorage.cli.status", "Say whether Moorage runs, where, and with which processes."),
    "env": Entry("moorage.cli.env", "Print the exports that point AWS clients at Moorage."),
    "deploy": Entry("moorage.cli.deploy.command", "Deploy a model file, folder or archive to an endpoint."),
    "invoke": Entry("moorage.cli.invoke", "Send one request to an endpoint and print the answer."),
    "list": Entry("moorage.cli.list_endpoints", "List the endpoints."),
    "traffic": Entry("moorage.cli.traffic", "Show the invocations of endpoints, their errors and their latency."),
    "metrics": Entry("moorage.cli.metrics", "Show an endpoint's metrics minute by minute."),
    "scaling": Entry(
        "moorage.cli.scaling",
        "Show how an endpoint's variants are scaled, and why they were, or were not, scaled.",
    ),
    "costs": Entry("moorage.cli.costs", "Show how long instances were there, and what SageMaker would have charged."),
    "models": Entry("moorage.cli.models", "Show which models a multi-model endpoint has in memory."),
    "logs": Entry("moorage.cli.logs", "Print what an endpoint's instances have logged."),
    "delete": Entry("moorage.cli.delete", "Delete an endpoint, and what `moorage deploy` made for it."),
    "keys": Entry("moorage.cli.keys", "Make, list and revoke the bearer keys of endpoints."),
    "environments": Entry("moorage.cli.environments", "List, build and remove the environments that models run in."),
    "doctor": Entry("moorage.cli.doctor.command", "Check what this machine can run."),
}


class LazyGroup(click.Group):
    """A group that knows its subcommands by name and imports one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(moorage.__version__, message="moorage %(version)s")
def main() -> None:
    """Managed model endpoints on machines you own, behind Amazon SageMaker's API.

    Start with `moorage up`, then `eval "$(moorage env)"` in another terminal: every AWS client there talks to Moorage.
    """
