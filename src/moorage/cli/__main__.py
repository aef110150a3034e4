"""`python -m moorage.cli`: the `moorage` command of this very interpreter."""

from moorage.cli.main import main

main(prog_name="moorage")
