"""What the benchmarks share: real processes on cores of their own, load, and what they cost. No benchmark is here."""
