"""Metric maths: CloudWatch's expressions over time series. Pure.

`parser` turns an expression into a program, a sequence of instructions for a stack; `evaluation` carries it out.
Semantics are those of "Using math expressions" in the CloudWatch user guide.
"""
