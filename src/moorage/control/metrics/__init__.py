"""Moorage's own metrics: what they are read from, and what is measured for them."""
