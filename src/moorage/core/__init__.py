"""The domain, pure: what hosting means, without I/O, time or randomness of its own."""
