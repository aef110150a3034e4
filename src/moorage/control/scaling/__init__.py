"""Scaling: signals in, decisions of the pure core, changes of capacity out."""
