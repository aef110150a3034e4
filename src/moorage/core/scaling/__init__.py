"""Scaling: what capacity a variant's policies want, and why."""
