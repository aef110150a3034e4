"""The `moorage` command: one module a subcommand, the public AWS API underneath, one clear sentence for every error."""
