"""AWS wire protocols driven by botocore's service models, and request signatures. Knows no endpoints."""
