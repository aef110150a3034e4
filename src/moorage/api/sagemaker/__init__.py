"""SageMaker's hosting API: models, endpoint configs, endpoints and their tags."""
