"""Bytes by key, in a folder or in S3 (ADR 24). Knows nothing of what they are: logs, files or results."""
