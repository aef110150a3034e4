"""Typed dicts of requests and answers, one module a service, written by `tools/generate_types.py`."""
