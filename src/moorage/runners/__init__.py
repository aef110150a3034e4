"""Start, observe and stop instances. One file or folder a kind, unaware of each other."""
