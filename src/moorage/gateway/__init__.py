"""The data plane: picks an instance for an invocation, forwards it, accounts for it."""
