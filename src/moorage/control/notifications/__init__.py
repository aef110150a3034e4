"""Bringing notifications to the subscribers of topics."""
