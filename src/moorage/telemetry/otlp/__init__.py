"""Sends traces and metrics to a collector by OTLP, over HTTP in protobuf. Needs the extra `moorage[otel]`."""

import logging

# Its exporters log every try. What did not arrive is said by whoever sent it, once a minute.
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
