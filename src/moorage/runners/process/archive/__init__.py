"""Unpacks a model archive in a child without rights. Imports a little of the standard library and nothing else."""
