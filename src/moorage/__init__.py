"""Managed real-time model endpoints on machines you own, behind Amazon SageMaker's API."""

__version__ = "0.1.0"
