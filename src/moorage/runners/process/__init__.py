"""Instances as processes of this machine: the host agent that owns them, and the client by which control reaches it."""
