"""What instances would have cost on SageMaker, as an operation of Moorage's own."""
