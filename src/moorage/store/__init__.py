"""Where every acknowledged resource lives."""
