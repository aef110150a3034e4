"""Fakes, builders and conformance suites for the tests. Never imported by the product."""
