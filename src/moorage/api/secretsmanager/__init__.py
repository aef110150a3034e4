"""AWS Secrets Manager: random passwords."""
