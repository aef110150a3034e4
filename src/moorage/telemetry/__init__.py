"""Log streams, metric series and latency sketches."""
