"""Sends traces and metrics to a collector by OTLP, over HTTP in protobuf. Needs the extra `moorage[otel]`."""
