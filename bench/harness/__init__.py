"""What the benchmarks share: real processes on cores of their own, load, and what both cost. No benchmark stands here."""
