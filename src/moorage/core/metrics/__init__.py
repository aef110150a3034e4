"""CloudWatch's metrics as values: what names one, what was measured, and what is said of it. Pure."""
