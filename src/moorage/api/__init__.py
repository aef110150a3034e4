"""The AWS-compatible API: `server` is the life of a call, one folder per service holds the handlers."""
