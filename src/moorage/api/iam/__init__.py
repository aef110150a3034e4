"""AWS Identity and Access Management: roles and policies as stored documents. IAM has no regions."""
