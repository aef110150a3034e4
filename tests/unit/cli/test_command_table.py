"""The overview is what the commands say of themselves, and is quick."""

import subprocess
import sys

import click
import pytest

from moorage.cli.main import COMMANDS, main

HEAVY = ("boto3", "botocore", "rich", "msgspec", "sqlalchemy", "asyncio", "moorage.app")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_first_sentence_of_the_commands_own_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert name == command.name
    assert COMMANDS[name].summary == (command.help or "").splitlines()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_a_data_directory(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    for each in command.commands.values() if isinstance(command, click.Group) else [command]:
        assert "data_dir" in {parameter.name for parameter in each.params}


def test_the_overview_imports_nothing_heavy() -> None:
    program = f"""
import sys
from moorage.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == done.stderr.strip()
    assert "Managed model endpoints" in done.stdout
