"""Seeded fuzzing of the data plane: messages spoilt at will, and judges of what becomes of them. h11 is the oracle."""
